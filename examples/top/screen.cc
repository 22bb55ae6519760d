// SPDX-License-Identifier: BSD-2-Clause
#include "examples/top/screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "examples/top/table.h"

namespace top
{

static volatile sig_atomic_t leaving;

static void leave(int)
{
    leaving = 1;
}

static void resized(int)
{
}

static void put(const std::string &text)
{
    size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = write(STDOUT_FILENO, text.data() + done, text.size() - done);
        if (written < 0 && errno != EINTR)
            return; // the terminal has gone
        done += written > 0 ? static_cast<size_t>(written) : 0;
    }
}

static void on(int number, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(number, &action, nullptr);
}

Screen::Screen()
{
    tcgetattr(STDIN_FILENO, &before_);
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    for (int number : {SIGINT, SIGTERM, SIGHUP})
        on(number, leave);
    on(SIGWINCH, resized);
    put("\033[?1049h\033[?25l"); // the other screen, no cursor
}

Screen::~Screen()
{
    put("\033[?25h\033[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void Screen::show(const std::string &text)
{
    winsize window = {};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0)
        window = {24, 80, 0, 0};
    std::string page = "\033[H"; // from the top
    size_t row = 0;
    for (size_t at = 0; at < text.size() && row < window.ws_row; row++) {
        const size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at), begin = colour(line);
        page += (row > 0 ? "\r\n" : "") + begin + line.substr(0, window.ws_col) +
                (begin.empty() ? "" : "\033[0m") + "\033[K";
        at = end == std::string::npos ? text.size() : end + 1;
    }
    put(page + "\033[J"); // nothing below
}

bool Screen::wait(int milliseconds)
{
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (leaving == 0 && poll(&input, 1, milliseconds) > 0) {
        char key = 'q';
        if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q')
            leaving = 1;
    }
    return leaving == 0;
}

} // namespace top
