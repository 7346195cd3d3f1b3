#include "default_signals.h"

#include <signal.h>

namespace lifecycle::test {

void restoreDefaultSignals() {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) {
        ::sigaction(number, &action, nullptr); // KILL, STOP and libc's own refuse: as they should
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

} // namespace lifecycle::test
