// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/sample.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "examples/top/folder.h"

namespace top
{

static const int kFormat = 1;

static std::string process(long pid)
{
    return "process " + std::to_string(pid);
}

std::string folder()
{
    char path[sizeof(sockaddr_un::sun_path)];
    const int error = top_folder(path, sizeof path);
    if (error == -EPERM)
        throw std::runtime_error("the folder of the sockets is not ours alone; see XDG_RUNTIME_DIR");
    if (error != 0)
        throw std::runtime_error(std::string("the folder of the sockets: ") + strerror(-error) +
                                 "; see XDG_RUNTIME_DIR");
    return path;
}

std::vector<long> publishers(const std::string &folder)
{
    std::vector<long> pids;
    for (const auto &file : std::filesystem::directory_iterator(folder)) {
        char *end = nullptr;
        const std::string name = file.path().filename().string();
        const long pid = strtol(name.c_str(), &end, 10);
        if (pid > 0 && strcmp(end, ".sock") == 0)
            pids.push_back(pid);
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

// A connection that is closed when it goes out of scope.
class Connection
{
  public:
    Connection(const std::string &folder, long pid, double patience_seconds)
        : pid_(pid), socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const auto whole = static_cast<time_t>(patience_seconds);
        const timeval patience = {
            whole, static_cast<suseconds_t>((patience_seconds - static_cast<double>(whole)) * 1e6)};
        sockaddr_un address;
        top_address(folder.c_str(), pid, &address);
        if (socket_ < 0)
            throw std::runtime_error(std::string("no socket: ") + strerror(errno));
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); // for connect()
        if (connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
            const std::string reason = why(errno);
            close(socket_);
            throw std::runtime_error(reason);
        }
    }
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;
    ~Connection()
    {
        close(socket_);
    }

    std::string read_all()
    {
        std::string text;
        char buffer[16384];
        for (;;) {
            const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
            if (got == 0)
                return text;
            if (got > 0)
                text.append(buffer, static_cast<size_t>(got));
            else if (errno != EINTR)
                throw std::runtime_error(why(errno));
        }
    }

  private:
    std::string why(int error) const
    {
        if (error == EAGAIN || error == ETIMEDOUT)
            return process(pid_) + " does not answer: it may be stopped";
        if (error == ECONNREFUSED || error == ECONNRESET)
            return process(pid_) + " has ended";
        if (error == ENOENT)
            return kill(static_cast<pid_t>(pid_), 0) != 0 && errno == ESRCH
                       ? "there is no " + process(pid_)
                       : process(pid_) + " publishes no maps";
        return process(pid_) + ": " + strerror(error);
    }

    const long pid_;
    const int socket_;
};

std::string ask(const std::string &folder, long pid, double patience_seconds)
{
    return Connection(folder, pid, patience_seconds).read_all();
}

// The only line of a file of /proc; empty if the thread has gone.
static std::string line_of(const std::string &path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

static MapSample map_sample(const nlohmann::json &json)
{
    MapSample map = {json.at("name"), json.value("error", 0), 0, 0, 0, 0, 0};
    if (map.error == 0) {
        map.ranges = json.at("ranges");
        map.leaves = json.at("leaves");
        map.inner_nodes = json.at("inner_nodes");
        map.bytes = json.at("bytes");
        map.height = json.at("height");
    }
    return map;
}

static DomainSample domain_sample(long pid, const nlohmann::json &json)
{
    DomainSample domain = {};
    domain.id = json.at("id");
    domain.error = json.value("error", 0);
    if (domain.error == 0) {
        domain.threads = json.at("threads");
        domain.epoch = json.at("epoch");
        domain.retries = json.at("retries");
        domain.chunk_bytes = json.at("chunk_bytes");
        domain.node_bytes = json.at("node_bytes");
        domain.pending_bytes = json.at("pending_bytes");
        domain.blocker_tid = json.at("blocker").at("tid");
        domain.blocker_behind = json.at("blocker").at("behind");
        domain.blocker_name =
            line_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(domain.blocker_tid) + "/comm");
    }
    for (const auto &map : json.at("maps"))
        domain.maps.push_back(map_sample(map));
    return domain;
}

static PagemapSample pagemap_sample(const nlohmann::json &json)
{
    PagemapSample pagemap;
    pagemap.is_published = true;
    for (const auto &device : json.at("devices"))
        pagemap.devices.push_back({device.at("start"), device.at("end"), device.at("type"),
                                   device.at("range"), device.at("ranges"), device.at("references"),
                                   device.at("dying") != 0});
    for (const auto &counter : json.at("statistics").items())
        pagemap.counters[counter.key()] = counter.value();
    return pagemap;
}

ProcessSample sample(long pid)
{
    ProcessSample sample = {};
    sample.pid = pid;
    sample.program = line_of("/proc/" + std::to_string(pid) + "/comm");
    sample.when = std::chrono::steady_clock::now();
    return sample;
}

ProcessSample sample(long pid, const std::string &answer)
{
    try {
        const auto json = nlohmann::json::parse(answer);
        ProcessSample sample = top::sample(pid);
        if (json.at("format") != kFormat)
            throw std::runtime_error(process(pid) + " publishes in another format than this program reads");
        for (const auto &domain : json.at("domains"))
            sample.domains.push_back(domain_sample(pid, domain));
        if (json.contains("pagemap"))
            sample.pagemap = pagemap_sample(json.at("pagemap"));
        return sample;
    } catch (const nlohmann::json::exception &error) {
        // It may have been cut off by the end of the process.
        throw std::runtime_error(process(pid) + " gives no whole answer: " + error.what());
    }
}

} // namespace top
