#include "verdict.h"

namespace lifecycle::check {

std::string toString(Verdict::Result result) {
    switch (result) {
    case Verdict::Result::pass: return "pass";
    case Verdict::Result::fail: return "fail";
    case Verdict::Result::notApplicable: break;
    }
    return "n/a";
}

}  // namespace lifecycle::check
