#include "stopped_thread.h"
#include "skip.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <istream>
#include <string>
#include <system_error>
#include <utility>

namespace lifecycle::test {

namespace {

int waitFor(pid_t thread) {
    int status = 0;
    while (::waitpid(thread, &status, __WALL) < 0) {
        if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "waitpid");
        }
    }
    return status;
}

bool sleeps(pid_t thread) {
    std::ifstream file("/proc/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    return line.find(") S ") != std::string::npos;
}

void stop(pid_t thread) {
    eventually([thread] { return sleeps(thread); }, std::chrono::seconds(10));
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
        throw std::system_error(errno, std::generic_category(), "ptrace");
    }
    if (!WIFSTOPPED(waitFor(thread))) {
        throw std::system_error(ESRCH, std::generic_category(), "the thread has ended");
    }
}

} // namespace

std::set<pid_t> threadsOf(pid_t pid, const std::string& name) {
    std::set<pid_t> threads;
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
        std::string its;
        std::getline(std::ifstream(entry.path() / "comm") >> std::ws, its);
        if (its == name) {
            threads.insert(std::stoi(entry.path().filename()));
        }
    }
    return threads;
}

bool StoppedThread::allowed() {
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    const bool allowed = ::ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (!allowed) {
        skip("this system does not allow ptrace");
    }
    return allowed;
}

StoppedThread::StoppedThread(const Process& program, pid_t thread) : program_(program) {
    std::promise<void> promise;
    auto stopped = promise.get_future();
    // The end of the program is complete only when the thread that holds this one has seen it end.
    tracer_ = std::thread([thread, promise = std::move(promise)]() mutable {
        try {
            stop(thread);
        } catch (...) {
            promise.set_exception(std::current_exception());
            return;
        }
        promise.set_value();
        while (WIFSTOPPED(waitFor(thread))) {
        }
    });
    try {
        stopped.get();
    } catch (...) {
        tracer_.join();
        throw;
    }
}

StoppedThread::~StoppedThread() {
    program_.signal(SIGKILL);
    tracer_.join();
}

} // namespace lifecycle::test
