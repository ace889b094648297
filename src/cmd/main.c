/* main.c: picks the command, starts MPI for those that all ranks run, and turns its verdict into the exit status. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/fault.h"
#include "murmur/log.h"
#include "murmur/par.h"

static const mur_command *const commands[] = {
    &mur_cmd_run,      &mur_cmd_sources,  &mur_cmd_history, &mur_cmd_export,   &mur_cmd_mentions, &mur_cmd_verify,
    &mur_cmd_classify, &mur_cmd_tokenize, &mur_cmd_model,   &mur_cmd_generate, &mur_cmd_optimize, &mur_cmd_vacuum,
    &mur_cmd_status,   &mur_cmd_stop,     &mur_cmd_clear,   &mur_cmd_bench,    &mur_cmd_rescore,  &mur_cmd_evaluate,
    &mur_cmd_eda,      &mur_cmd_push,     &mur_cmd_doctor,  &mur_cmd_report,
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_commands(FILE *to)
{
    fprintf(to, "Usage: murmur COMMAND [options]\n\n"
                "The sentiment of tweets, per mentioned user, at scale.\n\nCommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\n'murmur COMMAND --help' tells a command's options. A first run:\n"
                "  mpirun -np 2 murmur run TWEETS --store STORE && murmur mentions STORE\n");
}

static int report(int rc)
{
    const mur_error *e = mur_error_last();
    if (e->rank > 0)
        mur_log_error("rank %d: %s", e->rank, e->message);
    else
        mur_log_error("%s", e->message);
    return mur_exit_status(rc);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "C");   /* decimal points, byte order */
    signal(SIGPIPE, SIG_IGN); /* found as EPIPE where results are written */
    if (mur_fault_list())
        return 0;

    const char *name = argc > 1 ? argv[1] : NULL;
    bool is_silent = mur_launch_rank() > 0; /* one process of several that a launcher started */
    if (!name || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        if (is_silent)
            return 0;
        print_commands(name ? stdout : stderr);
        return name ? 0 : mur_exit_status(MUR_EUSAGE);
    }
    if (strcmp(name, "--version") == 0) {
        if (!is_silent)
            printf("murmur %s\n", MURMUR_VERSION);
        return 0;
    }

    const mur_command *command = NULL;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            command = commands[i];
    if (!command) {
        if (is_silent)
            return 0;
        mur_log_error("there is no command '%s'; 'murmur --help' lists them", name);
        return mur_exit_status(MUR_EUSAGE);
    }

    /* Rank 0 speaks for all: what only reads, it does alone. Wrong usage is found by every rank of a collective command
     * before MPI starts, so that it costs no time and cannot hang; rank 0 says so. */
    if (is_silent && !command->is_collective)
        return 0;
    int rc = command->run(command, argc - 1, argv + 1);
    if (rc >= 0)
        return 0;
    /* mpirun kills the other ranks as soon as one ends with an error, rank 0 perhaps before it could say which: the
     * others end quietly, and the launcher hands on rank 0's status. */
    return is_silent ? 0 : report(rc);
}
