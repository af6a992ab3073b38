#include "check.hpp"

int main(int, char **arguments) { return check::run_all(arguments[0]); }
