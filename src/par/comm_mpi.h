/* comm_mpi.h: the MPI handles behind a mur_comm; for par itself and for store, which hands them to HDF5. */
#ifndef MURMUR_COMM_MPI_H
#define MURMUR_COMM_MPI_H

#include <mpi.h>

#include "murmur/par.h"

struct mur_comm_handles {
    MPI_Comm all;     /* a private duplicate of the world, errors returned */
    MPI_Comm node;    /* its split by shared memory */
    MPI_Info info;    /* for MPI-IO; MPI_INFO_NULL */
    bool has_helpers; /* MPI lets a thread of a rank call it while the others of that rank do not */
    mur_traffic traffic;
    int size_tag; /* of the next exchange's sizes (collective.c); the same on all ranks */
};

/* Local. Waits for the request without burning the core: polls for 10 ms, then sleeps between polls. */
void mur_comm_wait(MPI_Request *request);

/* Of a loop that looks whether something came: zeroed at first. */
typedef struct mur_comm_pause {
    double since; /* nothing has come; 0: something had */
} mur_comm_pause;

/* Local. Between two looks: sleeps where nothing came for 10 ms. */
void mur_comm_look_again(mur_comm_pause *p, bool has_come);

/* Ends the job with MPI's message when `call` fails: agreement itself needs MPI, so there is no way on. */
#define MUR_MPI(call) mur_comm_check((call), #call, __FILE__, __LINE__)
void mur_comm_check(int code, const char *call, const char *file, int line);

#endif
