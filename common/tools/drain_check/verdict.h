#pragma once

#include <string>
#include <utility>

namespace lifecycle::check {

/// How a scenario went.
struct Verdict {
    enum class Result { pass, fail, notApplicable };

    Result result = Result::notApplicable;
    std::string figure{};   ///< a few words, such as "12 ms" or "3 of 32 lost"
    std::string remark{};   ///< on fail: one line of what a client suffered; n/a: why; pass: more figures
};

inline Verdict pass(std::string figure, std::string remark = "") {
    return {Verdict::Result::pass, std::move(figure), std::move(remark)};
}
inline Verdict fail(std::string figure, std::string suffered) {
    return {Verdict::Result::fail, std::move(figure), std::move(suffered)};
}
inline Verdict notApplicable(std::string reason) {
    return {Verdict::Result::notApplicable, {}, std::move(reason)};
}

/// "pass", "fail" or "n/a".
std::string toString(Verdict::Result result);

}  // namespace lifecycle::check
