// SPDX-License-Identifier: BSD-2-Clause
// A terminal that shows one page at a time, by the escape sequences that all terminals of today know.
#ifndef EXAMPLES_TOP_SCREEN_H
#define EXAMPLES_TOP_SCREEN_H

#include <termios.h>

#include <string>

namespace top
{

// Takes the terminal over, and gives it back as it was, with what it had shown, in its destructor.
class Screen
{
  public:
    Screen();
    ~Screen();
    Screen(const Screen &) = delete;
    Screen &operator=(const Screen &) = delete;

    // Shows `text`, as much of it as fits.
    void show(const std::string &text);

    // Waits so long, or until the window changes. False: the user wants to leave (q, or a signal that ends programs).
    bool wait(int milliseconds);

  private:
    termios before_;
};

} // namespace top

#endif
