#include "scenario.h"

namespace lifecycle::check {

const std::vector<Scenario>& allScenarios() {
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> result;
        for (const auto& theme : {exitScenarios(), listenerScenarios(), keepAliveScenarios(), slowClientScenarios(),
                                  signalScenarios(), rudeClientScenarios(), restartScenarios()}) {
            result.insert(result.end(), theme.begin(), theme.end());
        }
        return result;
    }();
    return all;
}

}  // namespace lifecycle::check
