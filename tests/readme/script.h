#pragma once

#include "console_block.h"
#include "line_pattern.h"

#include <cstddef>
#include <string>
#include <vector>

namespace lifecycle::readme {

/// How a console block is written
/// ==============================
///
/// A block is a session at one or more terminals, told from top to bottom:
///
///     1$ build/bin/03_http_shutdown --port 8080
///     +0.002s ready port=8080 pid=4711
///     2$ curl -s http://127.0.0.1:8080/hello?work=1s
///     1> +1.204s request.begin method=GET path=/hello
///     1$ ^C
///     +1.310s signal name=SIGINT number=2 sender_pid=0 sender_uid=0
///     [...]
///     2> hello
///     1> +2.206s exit code=0
///
/// `1$ command`  types a command into terminal 1; `2$ command` into terminal 2. A plain `$ command`
///               is terminal 1. A command that ends in `\` goes on in the next line.
/// `1$ ^C`       presses a key: ^C ^Z ^\ ^D go to whatever runs in the foreground of terminal 1.
/// other lines   are output of the terminal whose prompt stands last above them. `2> line` is
///               output of terminal 2, whatever stands above.
/// `[..]`        inside a line stands for any text.
/// `[...]`       as a line stands for any number of lines, also none.
/// empty lines   are for the eye and not compared.
/// `[1] 4711`    and the like, what bash says about background jobs, may be left out.
///
/// What is different in every run (times, pids, dates, ports of clients) is not compared either:
/// see normalise.h.
///
/// The lines of one terminal come in the order written. How two terminals interleave is not
/// compared, but it leads the session: a line with a prompt is carried out only when all output
/// above it has appeared, in either terminal. So a README says "when the server has taken the
/// request, press ^C" by writing the output first and the prompt behind it. There are no sleeps.
///
/// Each terminal is a bash of its own in a pseudo-terminal, at the root of the repository, for one
/// block: variables, jobs, `$!` and `$?` live from command to command. At the end of the block
/// everything that runs in the foreground must have ended; what is in the background is killed.
/// READMEs run beside other tests: `pidof` finds only processes of this one, and ports 8080 to
/// 8089 are replaced by free ones and shown as written (substitutions.h).
///
/// `./lab test` would run this very test again: of such a line it is checked only that `./lab
/// help` lists the command, and the output below it is not compared. Every command finds
/// LAB_README_RUNNER=1 in its environment.

/// One line of output that a README shows.
struct ExpectedLine {
    int terminal;
    ComparedLine shown;
    std::size_t line;    ///< its number in the README
    bool marked = false; ///< written with its terminal: `2> line`
};

/// One line with a prompt, and the output shown below it.
struct Step {
    int terminal = 1;
    std::string command; ///< or a key: "^C"
    std::size_t line = 0;
    /// The lines of the README that make up prompt and command, as they are.
    std::vector<std::string> promptLines;
    std::vector<ExpectedLine> expected;

    bool isKey() const;
    /// The control character that the key sends.
    char key() const { return static_cast<char>(command.at(1) & 0x1f); }
    bool isLabTest() const;
};

struct Script {
    BlockOptions options;
    std::size_t firstLine = 0;
    std::vector<Step> steps;

    int terminals() const;
};

/// Throws SyntaxError for output above the first prompt, and for a block without any.
Script parseScript(const ConsoleBlock& block);

} // namespace lifecycle::readme
