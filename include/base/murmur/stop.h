/* stop.h: SIGUSR1 as a request to stop when the batch in hand is done; mpirun and srun pass it on to their ranks. */
#ifndef MURMUR_STOP_H
#define MURMUR_STOP_H

#include <stdbool.h>

/* From here on the signal ends the process no more. Before MPI is started, which takes a while in which it may come. */
void mur_stop_listen(void);

/* Whether it came. */
bool mur_stop_is_asked(void);

#endif
