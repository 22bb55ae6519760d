// SPDX-License-Identifier: BSD-2-Clause
// A child process that is talked to through its standard input and output, in Java's DataInput format.
#ifndef RANGEMAP_BENCH_SUBJECTS_JAVA_PIPES_H
#define RANGEMAP_BENCH_SUBJECTS_JAVA_PIPES_H

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace bench
{

class Pipes
{
  public:
    // Starts command[0], looked for in PATH. Throws std::system_error.
    explicit Pipes(const std::vector<std::string> &command);
    // Closes its input and waits for it to end.
    ~Pipes();
    Pipes(const Pipes &) = delete;
    Pipes &operator=(const Pipes &) = delete;

    void put_byte(uint8_t byte);
    void put_int(uint32_t value);
    void put_long(uint64_t value);
    void put_bool(bool value);

    // What was put is sent before the next of these waits. They throw std::runtime_error if the child has ended.
    bool get_bool();
    uint32_t get_int();
    uint64_t get_long();
    double get_double();
    std::string get_text();

  private:
    void get(unsigned char *bytes, size_t count);

    pid_t child_ = -1;
    FILE *to_ = nullptr, *from_ = nullptr;
};

// What the command prints, all of it, once it has ended. Throws std::system_error if it cannot be started.
std::string run_and_read(const std::vector<std::string> &command);

} // namespace bench

#endif
