// timeline: draws the logs of runs, as text to standard output and as SVG to a file.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "log.h"
#include "sentence.h"
#include "svg.h"
#include "text.h"

using namespace lifecycle::timeline;

int main(int argc, char** argv) {
    std::vector<std::string> logs;
    std::vector<std::string> titles;
    std::string svgFile;
    bool alt = false;
    lifecycle::Options options("timeline", "draws the log of a run, or of several, one below the other");
    options.value("log", "FILE", "", "file with the event lines; may be given several times",
                  [&logs](const std::string& file) { logs.push_back(file); });
    options.value("title", "TEXT", "", "what the picture is about; once for each --log",
                  [&titles](const std::string& title) { titles.push_back(title); });
    options.text("svg", svgFile, "file to draw to");
    options.flag("sentence", alt, "print it as a sentence instead of drawing: the alt text");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    titles.resize(std::max(logs.size(), titles.size()));
    std::vector<Timeline> timelines;
    for (std::size_t i = 0; i < logs.size(); ++i) {
        std::ifstream in(logs[i]);
        if (!in) {
            std::fprintf(stderr, "timeline: cannot read --log %s\n", logs[i].c_str());
            return lifecycle::exitUsage;
        }
        timelines.push_back(readLog(in, titles[i]));
    }
    drawToOneScale(timelines);
    for (const Timeline& timeline : timelines) {
        std::cout << (&timeline == &timelines.front() ? "" : "\n")
                  << (alt ? sentence(timeline) + "\n" : text(timeline));
    }
    std::cout << std::flush;
    if (!svgFile.empty()) {
        std::ofstream out(svgFile);
        out << svg(timelines);
        if (!out.flush()) {
            std::fprintf(stderr, "timeline: cannot write --svg %s\n", svgFile.c_str());
            return lifecycle::exitUnavailable;
        }
    }
    return lifecycle::exitClean;
}
