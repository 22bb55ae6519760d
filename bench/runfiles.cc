// SPDX-License-Identifier: BSD-2-Clause
#include "bench/runfiles.h"

#include <glob.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace bench
{

static bool readable(const std::string &path)
{
    return access(path.c_str(), R_OK) == 0;
}

// Whole, since it may be given to another program, which takes a path as the user's.
std::string find_runfile(const std::string &name)
{
    if (readable(name))
        return std::filesystem::absolute(name);
    if (const char *runfiles = getenv("RUNFILES_DIR")) {
        std::string path = std::string(runfiles) + "/rangemap/" + name;
        if (readable(path))
            return std::filesystem::absolute(path);
    }
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length <= 0)
        return "";
    std::string pattern = std::string(program, static_cast<size_t>(length)) + ".runfiles/*/" + name;
    glob_t found = {};
    std::string path;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
        path = found.gl_pathv[0];
    globfree(&found);
    return path;
}

} // namespace bench
