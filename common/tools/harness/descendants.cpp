#include "descendants.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <map>
#include <system_error>

namespace lifecycle::test {

void adoptOrphans() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        throw std::system_error(errno, std::generic_category(), "PR_SET_CHILD_SUBREAPER");
    }
}

std::vector<ProcessEntry> descendants() {
    std::vector<ProcessEntry> all = processTable();
    std::map<pid_t, pid_t> parents;
    for (const ProcessEntry& process : all) {
        parents[process.pid] = process.parent;
    }
    const auto isOurs = [&](const ProcessEntry& process) {
        pid_t ancestor = process.parent;
        // Read one after the other, the entries may contradict each other: no chain is endless.
        for (std::size_t step = 0; step < all.size() && ancestor > 1 &&
                                                     ancestor != ::getpid();
             ++step) {
            const auto found = parents.find(ancestor);
            ancestor = found == parents.end() ? 0 : found->second;
        }
        return ancestor == ::getpid();
    };
    std::vector<ProcessEntry> ours;
    std::copy_if(all.begin(), all.end(), std::back_inserter(ours), isOurs);
    return ours;
}

void killDescendants() {
    // Killing the children makes theirs ours; so on until none is left.
    while (true) {
        for (const ProcessEntry& process : processTable()) {
            if (process.parent == ::getpid()) {
                ::kill(process.pid, SIGKILL);
            }
        }
        if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) {
            return;
        }
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}

bool sessionHasOthers(pid_t leader) {
    const auto all = processTable();
    return std::any_of(all.begin(), all.end(), [&](const ProcessEntry& process) {
        return process.session == leader && process.pid != leader && process.state != 'Z';
    });
}

} // namespace lifecycle::test
