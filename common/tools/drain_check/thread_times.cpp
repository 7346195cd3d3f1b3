#include "thread_times.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace lifecycle::check {

namespace fs = std::filesystem;

ThreadTimes threadTimesOf(pid_t pid) {
    ThreadTimes times;
    std::error_code gone;
    for (fs::directory_iterator thread(fs::path("/proc") / std::to_string(pid) / "task", gone), end;
         !gone && thread != end; thread.increment(gone)) {
        std::ifstream file(thread->path() / "schedstat");
        long long ran = 0;
        long long waited = 0;
        if (file >> ran >> waited) {
            times[std::stoi(thread->path().filename())] = {std::chrono::nanoseconds(ran), std::chrono::nanoseconds(waited)};
        }
    }
    return times;
}

long busyPercent(const ThreadTimes& before, const ThreadTimes& after, std::chrono::nanoseconds between) {
    double percent = 0;
    for (const auto& [thread, now] : after) {
        const auto found = before.find(thread);
        const ThreadTime then = found == before.end() ? ThreadTime{} : found->second;
        const auto ran = now.ran - then.ran;
        const auto slept = between - ran - (now.waited - then.waited);
        if (ran.count() > 0) {
            percent += 100.0 * static_cast<double>(ran.count()) /
                       static_cast<double>((ran + std::max(slept, std::chrono::nanoseconds::zero())).count());
        }
    }
    return static_cast<long>(percent);
}

}  // namespace lifecycle::check
