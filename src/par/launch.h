/* launch.h: what the launcher told this process through its environment, held against what MPI sees.
 *
 * A launcher of another kind than MPI expects (srun without PMIx, another MPI's mpiexec) starts N processes that each
 * believe to be alone: N writers on one store. So a process that is one of several, and alone in MPI, is refused.
 */
#ifndef MURMUR_LAUNCH_H
#define MURMUR_LAUNCH_H

#include "murmur/error.h"

/* Local, before MPI_Init: MUR_EUSAGE if no launcher that MPI could know started this process and there are to be
 * several. Lets Open MPI start alone where one process is meant. */
int mur_launch_before_init(void) MUR_MUST_USE;

/* Local, after MPI_Init: MUR_EUSAGE if MPI sees one rank and there are to be several. */
int mur_launch_after_init(int n_ranks) MUR_MUST_USE;

#endif
