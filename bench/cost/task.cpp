#include "cost/task.hpp"

#include <istream>
#include <sstream>
#include <stdexcept>

namespace cost {

const std::string &Task::text(const std::string &key) const {
    auto found = values.find(key);
    if (found == values.end()) throw std::invalid_argument("plan: " + kind + " without " + key);
    return found->second;
}

size_t Task::number(const std::string &key) const {
    const std::string &value = text(key);
    if (value.empty() || value.size() > 15 || value.find_first_not_of("0123456789") != std::string::npos)
        throw std::invalid_argument("plan: " + key + "=" + value + " is not a whole number");
    return std::stoull(value);
}

double Task::real(const std::string &key) const {
    const std::string &value = text(key);
    size_t used = 0;
    double number = value.empty() ? 0 : std::stod(value, &used);
    if (used == 0 || used != value.size()) throw std::invalid_argument("plan: " + key + "=" + value + " is not a number");
    return number;
}

std::string Task::name() const {
    static const char *const in_name[] = {"form", "cell", "wiring", "score", "hidden", "streams", "length"};
    std::string name = kind;
    for (const char *key : in_name) {
        auto found = values.find(key);
        if (found != values.end()) name += "/" + found->second;
    }
    return name;
}

std::vector<Task> read_plan(std::istream &in) {
    std::vector<Task> plan;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        Task task;
        if (!(words >> task.kind)) continue;
        for (std::string word; words >> word;) {
            size_t equals = word.find('=');
            if (equals == std::string::npos) throw std::invalid_argument("plan: \"" + word + "\" is not key=value");
            task.values[word.substr(0, equals)] = word.substr(equals + 1);
        }
        plan.push_back(task);
    }
    return plan;
}

} // namespace cost
