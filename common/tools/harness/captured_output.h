#pragma once

#include "deadline.h"
#include "event_parser.h"

#include "lifecycle/file_descriptor.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// One line of a program's stderr and when it arrived.
struct CapturedLine {
    std::string text;
    Clock::time_point arrivedAt{};
};

/// Takes in what a program writes, in a thread of its own, so that the program never blocks on a
/// full pipe while the test is busy. Keeps every line of stderr with its time of arrival, and
/// reads the event lines among them.
///
/// Safe to use from every thread.
class CapturedOutput {
public:
    CapturedOutput(FileDescriptor standardOutput, FileDescriptor standardError);
    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;
    ~CapturedOutput();

    /// Tells the reader that the program is gone: it takes in what is left in the pipes, and
    /// blocks until it has. A child of the program may go on writing; that is captured too.
    void takeInRest();

    /// Blocks until `condition` holds for the events so far, the deadline passes, or stderr is
    /// closed by everyone who could write to it. Returns whether it holds.
    bool waitForEvents(const std::function<bool(const std::vector<Event>&)>& condition,
                       Deadline deadline) const;

    std::string standardOutput() const;
    std::vector<CapturedLine> standardError() const;
    std::vector<Event> events() const;

private:
    void readUntilStopped();
    bool readOnce(FileDescriptor& pipe, bool isError);
    void addErrorBytes(std::string_view bytes, Clock::time_point now);
    void finishErrorLine(Clock::time_point now);
    void wakeReader();

    FileDescriptor output_;
    FileDescriptor error_;
    FileDescriptor wake_;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::string output_bytes_;
    std::string unfinished_line_;
    std::vector<CapturedLine> error_lines_;
    std::vector<Event> events_;
    bool error_closed_ = false;
    bool rest_wanted_ = false;
    bool rest_taken_ = false;
    bool stop_ = false;

    std::thread reader_; // last: it starts when everything above is there
};

} // namespace lifecycle::test
