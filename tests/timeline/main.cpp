// timeline: draws the log of a run, as text to standard output and as SVG to a file.

#include <cstdio>
#include <fstream>
#include <iostream>

#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "log.h"
#include "sentence.h"
#include "svg.h"
#include "text.h"

using namespace lifecycle::timeline;

int main(int argc, char** argv) {
    std::string log;
    std::string svgFile;
    std::string title;
    bool alt = false;
    lifecycle::Options options("timeline", "draws the log of a run");
    options.text("log", log, "file with the event lines");
    options.text("svg", svgFile, "file to draw to");
    options.text("title", title, "what the picture is about");
    options.flag("sentence", alt, "print it as a sentence instead of drawing: the alt text");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    std::ifstream in(log);
    if (!in) {
        std::fprintf(stderr, "timeline: cannot read --log %s\n", log.c_str());
        return lifecycle::exitUsage;
    }
    const Timeline timeline = readLog(in, title);
    std::cout << (alt ? sentence(timeline) + "\n" : text(timeline)) << std::flush;
    if (!svgFile.empty()) {
        std::ofstream out(svgFile);
        out << svg({timeline});
        if (!out.flush()) {
            std::fprintf(stderr, "timeline: cannot write --svg %s\n", svgFile.c_str());
            return lifecycle::exitUnavailable;
        }
    }
    return lifecycle::exitClean;
}
