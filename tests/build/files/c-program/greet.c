#include <stdio.h>

#include "greet.h"

int main(int argc, char **argv) {
    return printf("%s %s\n", GREETING, argc > 1 ? argv[1] : "you") < 0;
}
