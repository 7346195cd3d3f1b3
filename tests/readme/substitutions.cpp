#include "substitutions.h"

#include <regex>

namespace lifecycle::readme {

namespace {

const std::string shownPrograms = "build/bin/";

/// Replaces every match by what `replacement` makes of it.
template <class Replacement>
std::string replaceEach(const std::string& text, const std::regex& pattern,
                        Replacement replacement) {
    std::string result;
    auto rest = text.begin();
    const std::sregex_iterator end;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern); match != end; ++match) {
        result.append(rest, (*match)[0].first);
        result += replacement(*match);
        rest = (*match)[0].second;
    }
    return result.append(rest, text.end());
}

} // namespace

Substitutions::Substitutions(const std::filesystem::path& root,
                             const std::filesystem::path& programs) {
    std::error_code no_such_directory;
    if (!std::filesystem::equivalent(root / "build/bin", programs, no_such_directory)) {
        programs_ = programs.string() + "/";
    }
}

std::string Substitutions::toReal(const std::string& command) {
    static const std::regex port(R"(\b808[0-9]\b)");
    std::string result = replaceEach(command, port, [this](const std::smatch& match) {
        return std::to_string(portFor(std::stoi(match.str())));
    });
    if (!programs_.empty()) {
        static const std::regex program(R"((^|[\s"'=;|&(])(\./)?build/bin/)");
        result = replaceEach(result, program, [this](const std::smatch& match) {
            return match.str(1) + programs_;
        });
    }
    return result;
}

std::string Substitutions::toShown(const std::string& line) const {
    std::string result = line;
    for (const auto& [shown, reservation] : ports_) {
        const std::regex real("\\b" + std::to_string(reservation.port()) + "\\b");
        result = std::regex_replace(result, real, std::to_string(shown));
    }
    for (std::string::size_type at = 0;
         !programs_.empty() && (at = result.find(programs_, at)) != std::string::npos;) {
        result.replace(at, programs_.size(), shownPrograms);
    }
    return result;
}

int Substitutions::portFor(int shown) {
    return ports_.try_emplace(shown).first->second.port();
}

} // namespace lifecycle::readme
