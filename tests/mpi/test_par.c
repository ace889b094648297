#include "all_ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "murmur/clock.h"

static void agreement_carries_the_failing_ranks_message(void **state)
{
    (void)state;
    int last = all.n_ranks - 1;
    int rc = all.rank == last ? mur_fail(MUR_EIO, "rank %d broke", all.rank) : 0;
    rc = mur_agree(&all, rc);
    char expected[32];
    snprintf(expected, sizeof expected, "rank %d broke", last);
    assert_all(rc == MUR_EIO);
    assert_all(mur_error_last()->rank == last);
    assert_all(strcmp(mur_error_last()->message, expected) == 0);
    assert_all(mur_agree(&all, 0) == 0);
}

static void reductions_match_arithmetic(void **state)
{
    (void)state;
    int64_t n = all.n_ranks, r = all.rank;
    assert_all(mur_sum(&all, r + 1) == n * (n + 1) / 2);
    assert_all(mur_max(&all, r) == n - 1);
    assert_all(mur_min(&all, r) == 0);
    assert_all(mur_sum_before(&all, 10) == 10 * r);
    int64_t many[5] = {r, 1, -r, 0, 7};
    mur_sum_all(&all, many, 5);
    assert_all(many[0] == n * (n - 1) / 2 && many[1] == n && many[2] == -many[0] && many[3] == 0 && many[4] == 7 * n);
    assert_all(mur_broadcast_int64(&all, r + 5) == 5);
}

/* Rank s sends rank r a run of (s + 2 r) * 1000 bytes of value 16 s + r; some runs are empty. */
static size_t length_of(int s, int r)
{
    return (size_t)((s + 2 * r) % 3) * 1000;
}

static void exchange_delivers_every_byte_in_rank_order(void **state)
{
    (void)state;
    mur_buf *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing), incoming = {0};
    size_t *ends = calloc((size_t)all.n_ranks, sizeof *ends);
    for (int r = 0; r < all.n_ranks; r++)
        for (size_t i = 0; i < length_of(all.rank, r); i++)
            mur_buf_append_byte(&outgoing[r], (char)(16 * all.rank + r));
    mur_buf_append_text(&incoming, "kept");
    mur_exchange(&all, outgoing, &incoming, ends);

    bool is_right = memcmp(incoming.ptr, "kept", 4) == 0;
    size_t at = 0;
    for (int s = 0; s < all.n_ranks; s++) {
        for (size_t i = 0; i < length_of(s, all.rank); i++)
            is_right = is_right && incoming.ptr[4 + at + i] == (char)(16 * s + all.rank);
        at += length_of(s, all.rank);
        is_right = is_right && ends[s] == at;
    }
    assert_all(is_right && incoming.len == at + 4);
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_clear(&outgoing[r]);
    mur_buf_clear(&incoming);
    free(outgoing);
    free(ends);
}

/* What rank s sends rank r when it takes several messages, some pairs more than others. */
static size_t long_length_of(int s, int r)
{
    return (size_t)(s + 2 * r) * (2 << 20) + 17;
}

static char long_byte_of(int s, int r, size_t i)
{
    return (char)(i * 31 + i / 4099 + (size_t)(16 * s + r));
}

static void exchange_of_many_messages_delivers_every_byte(void **state)
{
    (void)state;
    mur_buf *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing), incoming = {0};
    for (int r = 0; r < all.n_ranks; r++) {
        char *to = mur_buf_reserve(&outgoing[r], long_length_of(all.rank, r));
        outgoing[r].len = long_length_of(all.rank, r);
        for (size_t i = 0; i < outgoing[r].len; i++)
            to[i] = long_byte_of(all.rank, r, i);
    }
    mur_exchange(&all, outgoing, &incoming, NULL);
    size_t at = 0, n_wrong = 0;
    for (int s = 0; s < all.n_ranks; s++)
        for (size_t i = 0; i < long_length_of(s, all.rank) && at < incoming.len; i++)
            n_wrong += incoming.ptr[at++] != long_byte_of(s, all.rank, i);
    size_t length = 0;
    for (int s = 0; s < all.n_ranks; s++)
        length += long_length_of(s, all.rank);
    assert_all(n_wrong == 0 && incoming.len == length);
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_clear(&outgoing[r]);
    mur_buf_clear(&incoming);
    free(outgoing);
}

/* A number that all ranks know of two of them and a time. */
static uint32_t chance(int s, int r, int time)
{
    uint32_t x = (uint32_t)(s * 7919 + r * 104729 + time * 1299709 + 1);
    for (int i = 0; i < 3; i++)
        x = (x ^ (x >> 15)) * 2654435761U;
    return x;
}

/* One exchange behind the other, in which few pairs have anything: no rank may take what belongs to the next one. */
static void exchanges_between_few_pairs_do_not_mix(void **state)
{
    (void)state;
    mur_buf *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing), incoming = {0};
    size_t n_wrong = 0;
    for (int time = 0; time < 300; time++) {
        for (int r = 0; r < all.n_ranks; r++) {
            mur_buf_reset(&outgoing[r]);
            if (chance(all.rank, r, time) % 4 == 0)
                for (uint32_t i = 0; i < 1 + chance(all.rank, r, time) % 99; i++)
                    mur_buf_append_byte(&outgoing[r], (char)(time + 16 * all.rank + r));
        }
        mur_buf_reset(&incoming);
        mur_exchange(&all, outgoing, &incoming, NULL);
        size_t at = 0;
        for (int s = 0; s < all.n_ranks; s++)
            for (uint32_t i = 0; chance(s, all.rank, time) % 4 == 0 && i < 1 + chance(s, all.rank, time) % 99;
                 i++, at++)
                n_wrong += at >= incoming.len || incoming.ptr[at] != (char)(time + 16 * s + all.rank);
        n_wrong += at != incoming.len;
    }
    assert_all(n_wrong == 0);
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_clear(&outgoing[r]);
    mur_buf_clear(&incoming);
    free(outgoing);
}

/* One pair has everything: it needs a message for each 256 KiB, and no other rank needs any. */
static void a_pair_that_has_everything_costs_the_others_nothing(void **state)
{
    (void)state;
    const size_t len = (40 << 20) + 5;
    int last = all.n_ranks - 1;
    mur_buf *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing), incoming = {0};
    if (all.rank == 0) {
        memset(mur_buf_reserve(&outgoing[last], len), 'x', len);
        outgoing[last].len = len;
    }
    mur_traffic before = mur_comm_traffic(&all);
    mur_exchange(&all, outgoing, &incoming, NULL);
    mur_traffic now = mur_comm_traffic(&all);
    bool is_right = incoming.len == (all.rank == last ? len : 0);
    for (size_t i = 0; i < incoming.len; i++)
        is_right = is_right && incoming.ptr[i] == 'x';
    assert_all(is_right);
    assert_all(now.n_messages - before.n_messages == (all.rank == 0 && last > 0 ? 2 : 0));
    mur_buf_clear(&outgoing[last]);
    mur_buf_clear(&incoming);
    free(outgoing);
}

/* Up the tree, and, above its limit, from each rank; some ranks have nothing, and some several messages. */
static void gathers_of_any_size_keep_their_order(void **state)
{
    (void)state;
    const size_t units[] = {0, 1, 1000, 100 << 10, 5 << 20};
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        for (int shift = 0; shift < 3; shift++) {
            mur_buf mine = {0}, gathered = {0};
            size_t *ends = calloc((size_t)all.n_ranks, sizeof *ends), at = 0;
            size_t len = (size_t)((all.rank + shift) % 3) * units[u] * (1 + (size_t)all.rank);
            memset(mur_buf_reserve(&mine, len + 1), 'a' + all.rank, len);
            mine.len = len;
            for (int everywhere = 0; everywhere < 2; everywhere++) {
                mur_buf_reset(&gathered);
                mur_buf_append_text(&gathered, "kept");
                (everywhere ? mur_all_gather : mur_gather)(&all, mur_buf_view(&mine), &gathered, ends);
                bool is_right = memcmp(gathered.ptr, "kept", 4) == 0, has_all = everywhere || all.rank == 0;
                at = 4;
                for (int r = 0; r < all.n_ranks && has_all; r++) {
                    size_t own = (size_t)((r + shift) % 3) * units[u] * (1 + (size_t)r);
                    for (size_t i = 0; i < own; i++, at++)
                        is_right = is_right && at < gathered.len && gathered.ptr[at] == 'a' + r;
                    is_right = is_right && ends[r] == at - 4;
                }
                assert_all(is_right && gathered.len == at);
            }
            mur_buf_clear(&mine);
            mur_buf_clear(&gathered);
            free(ends);
        }
}

static void broadcasts_of_any_size_arrive(void **state)
{
    (void)state;
    const size_t lengths[] = {1, (64 << 10) - 1, 64 << 10, 1 << 20, (5 << 20) + 3};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        mur_buf told = {0};
        if (all.rank == 0) {
            char *to = mur_buf_reserve(&told, lengths[k]);
            told.len = lengths[k];
            for (size_t i = 0; i < told.len; i++)
                to[i] = long_byte_of(0, 0, i);
        }
        mur_broadcast(&all, &told);
        size_t n_wrong = told.len != lengths[k];
        for (size_t i = 0; i < told.len; i++)
            n_wrong += told.ptr[i] != long_byte_of(0, 0, i);
        assert_all(n_wrong == 0);
        mur_buf_clear(&told);
    }
}

static void gathers_and_broadcasts_keep_empty_ranks(void **state)
{
    (void)state;
    mur_buf gathered = {0}, told = {0};
    mur_view mine = {"abcdefgh", (size_t)(all.rank % 3)};
    mur_all_gather(&all, mine, &gathered, NULL);
    mur_buf expected = {0};
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_append(&expected, "abcdefgh", (size_t)(r % 3));
    assert_all(mur_view_equal(mur_buf_view(&gathered), mur_buf_view(&expected)));

    mur_buf_reset(&gathered);
    mur_gather(&all, mine, &gathered, NULL);
    assert_all(gathered.len == (all.rank == 0 ? expected.len : 0));

    mur_buf_append_text(&told, all.rank == 0 ? "from rank 0" : "something longer that is replaced");
    mur_broadcast(&all, &told);
    assert_all(mur_view_equal(mur_buf_view(&told), mur_view_of("from rank 0")));
    mur_buf_clear(&gathered);
    mur_buf_clear(&expected);
    mur_buf_clear(&told);
}

static void shared_memory_is_one_block_a_node(void **state)
{
    (void)state;
    mur_share s;
    assert_all(mur_share_open(&s, &all, 4096) == 0);
    assert_all(((char *)s.bytes)[4095] == 0);
    mur_barrier(&all); /* the first rank must not write before all have looked */
    if (all.node_rank == 0)
        memset(s.bytes, 42, 4096);
    mur_share_publish(&s, &all);
    assert_all(((char *)s.bytes)[4095] == 42);
    mur_share_close(&s, &all);
    assert_all(s.bytes == NULL);
}

static void share_larger_than_memory_is_refused(void **state)
{
    (void)state;
    mur_share s;
    assert_all(mur_share_open(&s, &all, (size_t)1 << 50) == MUR_EINTERNAL);
    assert_all(strstr(mur_error_last()->message, all.node_size == 1 ? "out of memory" : "/dev/shm") != NULL);
    mur_share_close(&s, &all);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Every collective function that ranks may come to at different times. */
static void wait_in(int function)
{
    static mur_share share;
    static mur_deal d;
    static const int64_t sizes[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    mur_buf b = {0}, *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing);
    int rc = 0;
    switch (function) {
    case 0: mur_barrier(&all); break;
    case 1: rc = mur_agree(&all, 0); break;
    case 2: mur_sum(&all, 1); break;
    case 3: mur_sum_before(&all, 1); break;
    case 4: mur_broadcast(&all, &b); break;
    case 5: mur_broadcast_int64(&all, 1); break;
    case 6: mur_all_gather(&all, mur_view_of("x"), &b, NULL); break;
    case 7: mur_gather(&all, mur_view_of("x"), &b, NULL); break;
    case 8: mur_exchange(&all, outgoing, &b, NULL); break;
    case 9: rc = mur_share_open(&share, &all, 4096); break;
    case 10: mur_share_publish(&share, &all); break;
    case 11: mur_share_close(&share, &all); break;
    case 12: rc = mur_deal_open(&d, &all, sizes, sizeof sizes / sizeof *sizes); break;
    default: mur_deal_close(&d, &all);
    }
    assert_true(rc == 0);
    mur_buf_clear(&b);
    free(outgoing);
}

static void waiting_ranks_sleep(void **state)
{
    (void)state;
    for (int ranks_per_node = 0; ranks_per_node < 2; ranks_per_node++) {
        mur_comm_divide(&all, ranks_per_node);
        bool is_asleep = true; /* told at the end: while units are dealt, no rank calls MPI but by its helper */
        for (int function = 0; function < 14; function++) {
            double before = cpu_seconds();
            if (all.rank == 0)
                for (double start = mur_monotonic(); mur_monotonic() - start < 0.3;)
                    mur_sleep(0.1);
            wait_in(function);
            double used = cpu_seconds() - before;
            if (used > 0.05) /* 10 ms of polling, and naps; spinning it would be up to 0.3 */
                print_error("rank %d spins in function %d: %.3f s\n", all.rank, function, used);
            is_asleep = is_asleep && used < 0.05;
        }
        assert_all(is_asleep);
    }
    mur_comm_divide(&all, 0);
}

static void traffic_counts_what_went_to_other_ranks(void **state)
{
    (void)state;
    mur_traffic before = mur_comm_traffic(&all);
    mur_buf *outgoing = calloc((size_t)all.n_ranks, sizeof *outgoing), incoming = {0};
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_append(&outgoing[r], "0123456789", 10);
    mur_exchange(&all, outgoing, &incoming, NULL);
    int64_t values[5] = {0};
    mur_sum_all(&all, values, 5);
    mur_buf told = {0};
    if (all.rank == 0)
        mur_buf_append(&told, "1234567", 7);
    mur_broadcast(&all, &told);
    mur_traffic now = mur_comm_traffic(&all);
    assert_all(now.exchange_bytes - before.exchange_bytes == 10 * (all.n_ranks - 1));
    assert_all(now.reduce_bytes - before.reduce_bytes >= 5 * (int64_t)sizeof *values);
    assert_all(now.broadcast_bytes - before.broadcast_bytes >= 7);
    assert_all(now.exchange_seconds > before.exchange_seconds && now.reduce_seconds > before.reduce_seconds);
    mur_comm alone = mur_comm_alone();
    assert_all(mur_comm_traffic(&alone).exchange_bytes == 0);
    for (int r = 0; r < all.n_ranks; r++)
        mur_buf_clear(&outgoing[r]);
    free(outgoing);
    mur_buf_clear(&incoming);
    mur_buf_clear(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_counts_what_went_to_other_ranks),
        cmocka_unit_test(agreement_carries_the_failing_ranks_message),
        cmocka_unit_test(reductions_match_arithmetic),
        cmocka_unit_test(exchange_delivers_every_byte_in_rank_order),
        cmocka_unit_test(exchange_of_many_messages_delivers_every_byte),
        cmocka_unit_test(exchanges_between_few_pairs_do_not_mix),
        cmocka_unit_test(a_pair_that_has_everything_costs_the_others_nothing),
        cmocka_unit_test(gathers_of_any_size_keep_their_order),
        cmocka_unit_test(broadcasts_of_any_size_arrive),
        cmocka_unit_test(gathers_and_broadcasts_keep_empty_ranks),
        cmocka_unit_test(shared_memory_is_one_block_a_node),
        cmocka_unit_test(share_larger_than_memory_is_refused),
        cmocka_unit_test(waiting_ranks_sleep),
    };
    return run_on_all_ranks(tests);
}
