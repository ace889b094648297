#include "murmur/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t is_asked;

static void on_signal(int number)
{
    (void)number;
    is_asked = 1;
}

void mur_stop_listen(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
}

bool mur_stop_is_asked(void)
{
    return is_asked != 0;
}
