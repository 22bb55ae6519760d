// SPDX-License-Identifier: BSD-2-Clause
#include "bench/subjects/java_pipes.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace bench
{

static pid_t spawn(const std::vector<std::string> &command, int input, int output)
{
    std::vector<char *> arguments;
    for (const std::string &argument : command)
        arguments.push_back(const_cast<char *>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    pid_t child = -1;
    int rc = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        throw std::system_error(rc, std::generic_category(), command[0]);
    return child;
}

Pipes::Pipes(const std::vector<std::string> &command)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    signal(SIGPIPE, SIG_IGN); // a child that ended shows when its answer is read
    child_ = spawn(command, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    to_ = fdopen(down[1], "w");
    from_ = fdopen(up[0], "r");
}

Pipes::~Pipes()
{
    fclose(to_);
    fclose(from_);
    waitpid(child_, nullptr, 0);
}

std::string run_and_read(const std::vector<std::string> &command)
{
    int up[2];
    if (pipe2(up, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    pid_t child = spawn(command, STDIN_FILENO, up[1]);
    close(up[1]);
    std::string text;
    char bytes[4096];
    for (ssize_t count; (count = read(up[0], bytes, sizeof bytes)) > 0;)
        text.append(bytes, static_cast<size_t>(count));
    close(up[0]);
    waitpid(child, nullptr, 0);
    return text;
}

void Pipes::put_byte(uint8_t byte)
{
    putc_unlocked(byte, to_);
}

void Pipes::put_int(uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(static_cast<uint8_t>(value >> shift));
}

void Pipes::put_long(uint64_t value)
{
    put_int(static_cast<uint32_t>(value >> 32));
    put_int(static_cast<uint32_t>(value));
}

void Pipes::put_bool(bool value)
{
    put_byte(value ? 1 : 0);
}

void Pipes::get(unsigned char *bytes, size_t count)
{
    fflush(to_);
    if (fread(bytes, 1, count, from_) != count)
        throw std::runtime_error("the Java program has ended; its message is above");
}

bool Pipes::get_bool()
{
    unsigned char byte;
    get(&byte, 1);
    return byte != 0;
}

uint32_t Pipes::get_int()
{
    unsigned char bytes[4];
    get(bytes, sizeof bytes);
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

uint64_t Pipes::get_long()
{
    uint64_t high = get_int();
    return high << 32 | get_int();
}

double Pipes::get_double()
{
    uint64_t bits = get_long();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

std::string Pipes::get_text()
{
    unsigned char length[2];
    get(length, sizeof length);
    std::string text(static_cast<size_t>(length[0] << 8 | length[1]), '\0');
    get(reinterpret_cast<unsigned char *>(&text[0]), text.size());
    return text;
}

} // namespace bench
