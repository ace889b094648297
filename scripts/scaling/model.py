#!/usr/bin/env python3
"""How murmur scales beyond the machine at hand: a discrete-event simulation of a run at any number of ranks.

    scripts/scaling/model.py CONSTANTS [--out DIR] [--most RANKS] [--measured SCALING.tsv]

CONSTANTS is a .tsv of name, value, unit and the command that measured it (scripts/scaling/run.sh makes it, on one rank, and
what ranks do together on two). Work units and their dealing are events. What comes behind them is not: the ranks agree before
and after each exchange and each writing of a part, so that none begins before the last one has ended, and within one a node's network card and
the file servers are queues of requests that come at once. Nothing is drawn by chance
that a seed does not fix, so the same constants give the same bytes. Leaves in DIR

    scaling_model.tsv        seconds and efficiency by precision, kind (strong, weak, default: strong in batches of the default size) and ranks
    scaling_check.tsv        with --measured: the model against runs of this machine
    scaling_mechanisms.tsv   what each mechanism takes of a batch's time, and how many ranks bring it to 5 %
"""

import argparse
import heapq
import math
import pathlib
import random

# Decisions of the program, with where they stand.
UNIT_BYTES = 256 << 10  # MUR_UNIT_BYTES, include/pipeline/murmur/plan.h
LAST_PART, LAST_UNITS = 8, 4  # of a batch's bytes the last eighth is cut into units a quarter as large: same file
FEWEST_UNITS, LEAST_UNIT_BYTES = 64, UNIT_BYTES // 16  # of a small batch: same file
IN_ADVANCE = 0.5  # src/par/deal.c: of the work, what is dealt to nodes before it begins
BLOCK_SHARE = 0.5  # src/par/dealer.c, FRACTION: of a node's share of what is left, a block
NAP = 0.002  # same file: rank 0's thread looks for requests so often
COUNT_SECONDS, COUNT_TIMES = 60, 20  # src/pipeline/run.c
DEFAULT_BATCH = 256 << 20  # --max-bytes
PART_BYTES, MOST_PARTS = 32 << 20, 64  # of application: src/pipeline/mention_reduce.c, count.c
BLOCK_BYTES = 64 << 10  # MUR_BLOCK_BYTES, src/store/layout.h: no chunk is smaller, so no more ranks compress
N_DATASETS = {"bronze": 14, "rejects": 9, "silver": 8, "gold": 13}  # docs/FORMAT.md: valid, numbers, two of each string column
SPAN_BYTES = {"bronze": 72, "rejects": 56, "silver": 48, "gold": 80}  # of a unit, all-gathered for a part: src/store/route.c
SMALL_PART = 4 << 20  # bytes of rows, src/pipeline/job.c: rank 0 alone writes no more
HDF5_MEETINGS = 60  # of a part that all ranks write, inside HDF5 and MPI-IO: some 200 a commit, docs/DESIGN.md
ESTIMATE_BYTES, ROWS_BYTES = 8, 32  # of a unit: gathered to all, src/pipeline/estimate.c; to rank 0, batch.c
TREE_BYTES = 16 << 20  # src/par/collective.c: more is gathered by a message from each rank

# What this machine cannot tell: a cluster's shape. Others: --nodes-of, --servers.
RANKS_PER_NODE = 64
FILE_SERVERS = 16  # each as fast as the disk at hand
MOST_MENTIONS = 300e6  # distinct, however many tweets: as many as there are users


class Queue:
    """A server that works off one request after the other: a node's network card, a file server, rank 0's thread."""

    def __init__(self):
        self.free_at = 0.0
        self.busy = 0.0

    def serve(self, now, seconds):
        self.free_at = max(now, self.free_at) + seconds
        self.busy += seconds
        return self.free_at


def usual_unit_bytes(batch_bytes):
    return min(max(batch_bytes / FEWEST_UNITS, LEAST_UNIT_BYTES), UNIT_BYTES)


PER_TOKEN = "seconds_per_token_"  # and the precision, by other machines too: int8_by_amx


class Model:
    def __init__(self, constants, ranks_per_node=RANKS_PER_NODE, n_servers=FILE_SERVERS):
        self.c = constants
        self.ranks_per_node = ranks_per_node
        self.n_servers = n_servers

    # Work

    def unit_bytes(self, batch_bytes):
        """Sizes of a batch's units, the largest first."""
        unit = usual_unit_bytes(batch_bytes)
        small, last = max(unit / LAST_UNITS, LEAST_UNIT_BYTES), batch_bytes / LAST_PART
        return [unit] * max(round((batch_bytes - last) / unit), 1) + [small] * round(last / small)

    def seconds_per_byte(self, precision):
        c = self.c
        return (c["ingest_seconds_per_byte"] + c["tweets_per_byte"] * c["refine_seconds_per_tweet"] +
                c["tokens_per_byte"] * c[f"seconds_per_token_{precision}"])

    def unit_seconds(self, batch_bytes, precision, seed):
        """Log-normal around what a unit's bytes take: how many tweets of a unit have a mention, and how long they are, differs."""
        chance, spread = random.Random(seed), self.c["unit_spread"]
        per_byte = self.seconds_per_byte(precision)
        return [size * per_byte * math.exp(spread * chance.gauss(0, 1) - spread * spread / 2)
                for size in self.unit_bytes(batch_bytes)]

    # Dealing

    def deal(self, sizes, seconds, n_ranks):
        """Units are taken by ranks as src/par deals them; when each rank is done. `sizes` is what the dealer knows."""
        n_nodes = math.ceil(n_ranks / self.ranks_per_node)
        ranks_of = [min(self.ranks_per_node, n_ranks - i * self.ranks_per_node) for i in range(n_nodes)]
        queues, loads = [[] for _ in range(n_nodes)], [(0.0, i) for i in range(n_nodes)]
        total, at, dealt = sum(sizes), 0, 0.0
        while at < len(sizes) and (n_nodes == 1 or dealt < IN_ADVANCE * total):
            load, node = heapq.heappop(loads)
            queues[node].append(at)
            heapq.heappush(loads, (load + sizes[at] / ranks_of[node], node))
            dealt += sizes[at]
            at += 1
        left, taken, is_asking, is_complete = total - dealt, [0] * n_nodes, [False] * n_nodes, [n_nodes == 1] * n_nodes
        idle, dealer, n_answers = [[] for _ in range(n_nodes)], Queue(), 0
        done, latency = [0.0] * n_ranks, self.c["exchange_seconds_per_message"]
        events = [(0.0, rank, rank // self.ranks_per_node, "free") for rank in range(n_ranks)]
        heapq.heapify(events)
        while events:
            now, rank, node, what = heapq.heappop(events)
            if what == "answer":
                is_asking[node] = False
                block = max(left * BLOCK_SHARE * ranks_of[node] / n_ranks, 0)
                got, fewest = 0.0, 1 + ranks_of[node] // 16
                n = 0
                while at < len(sizes) and (n < fewest or got < block):
                    queues[node].append(at)
                    got += sizes[at]
                    at += 1
                    n += 1
                left -= got
                is_complete[node] = is_complete[node] or n == 0
                n_answers += 1
                for waiting in idle[node]:
                    heapq.heappush(events, (now, waiting, node, "free"))
                idle[node] = []
                continue
            if taken[node] < len(queues[node]):
                unit = queues[node][taken[node]]
                taken[node] += 1
                done[rank] = now + seconds[unit]
                heapq.heappush(events, (done[rank], rank, node, "free"))
            elif not is_complete[node]:
                idle[node].append(rank)
            low = 1 + ranks_of[node] // 8
            if not is_complete[node] and not is_asking[node] and len(queues[node]) - taken[node] <= low:
                is_asking[node] = True
                if node == 0:
                    answered = now
                else:
                    arrived = now + latency
                    looked = math.ceil(arrived / NAP) * NAP
                    answered = dealer.serve(looked, 2 * self.c["exchange_seconds_per_message"]) + latency
                heapq.heappush(events, (answered, -1 - node, node, "answer"))
        return done, n_answers, dealer.busy

    # What ranks do together

    def agreement(self, n_ranks):
        """A tree of messages, first among the ranks of a node, then among nodes."""
        n_local = min(self.ranks_per_node, n_ranks)
        return (self.c["agreement_seconds_per_step_in_memory"] * math.ceil(math.log2(n_local)) +
                self.c["agreement_seconds_per_step"] * math.ceil(math.log2(math.ceil(n_ranks / n_local))))

    def exchange(self, n_ranks, bytes_of_rank, n_peers=None, n_receivers=None):
        """Sizes and then bytes to the `n_receivers` ranks that get some, from or to `n_peers` others (all, where not given), all
        ranks of a node through one card; messages are the rank's own work. A barrier is behind the sizes."""
        if n_ranks == 1:
            return 0.0
        card, memory, end = Queue(), Queue(), 0.0
        n_local = min(self.ranks_per_node, n_ranks)
        for _ in range(min(n_local, n_receivers or n_local)):
            near = memory.serve(0.0, bytes_of_rank * (n_local - 1) / n_ranks / self.c["network_bytes_per_s_in_memory"])
            far = card.serve(0.0, bytes_of_rank * (n_ranks - n_local) / n_ranks / self.c["network_bytes_per_s"])
            end = max(near, far)
        n_peers = n_ranks - 1 if n_peers is None else min(n_peers, n_ranks - 1)
        near = n_peers * (n_local - 1) / (n_ranks - 1)
        messages = (near * self.c["exchange_seconds_per_message_in_memory"] +
                    (n_peers - near) * self.c["exchange_seconds_per_message"])
        return 2 * messages + end + self.agreement(n_ranks)

    def steps(self, n_ranks):
        """Of a binomial tree: within a node, between nodes."""
        n_local = min(self.ranks_per_node, n_ranks)
        return math.ceil(math.log2(n_local)), math.ceil(math.log2(math.ceil(n_ranks / n_local)))

    def broadcast(self, n_ranks, n_bytes):
        """The root sends all of it once a step; slices go on meanwhile."""
        near, far = self.steps(n_ranks)
        return self.agreement(n_ranks) + n_bytes * (near / self.c["network_bytes_per_s_in_memory"] + far / self.c["network_bytes_per_s"])

    def gather(self, n_ranks, n_bytes):
        """Their sum, sizes and bytes up the tree, of which the last step brings the half, and so on; or from each rank."""
        if n_ranks == 1:
            return 0.0
        n_local = min(self.ranks_per_node, n_ranks)
        bandwidth = self.c["network_bytes_per_s" if n_ranks > n_local else "network_bytes_per_s_in_memory"]
        each = (n_ranks - n_local) * self.c["exchange_seconds_per_message"] if n_bytes > TREE_BYTES else self.agreement(n_ranks)
        return 2 * self.agreement(n_ranks) + each + n_bytes / bandwidth

    def write(self, now, n_writers, file_bytes):
        """Each writer's bytes go to a file server, and are read back from there by another rank."""
        servers = [Queue() for _ in range(min(self.n_servers, n_writers))]
        end = now
        for pass_ in ("write", "read"):
            start, bandwidth = end, self.c[f"disk_{pass_}_bytes_per_s"]
            for writer in range(n_writers):
                end = max(end, servers[writer % len(servers)].serve(start, file_bytes / n_writers / bandwidth))
        return end - now

    def part(self, n_ranks, raw_bytes, n_datasets, n_units=0, span_bytes=0):
        """Seconds by mechanism of one part, as src/store/part_write.c makes it: by rank 0 alone where it is small."""
        c = self.c
        is_small = raw_bytes <= SMALL_PART
        n_writers = 1 if is_small else max(1, min(n_ranks, int(raw_bytes / n_datasets / BLOCK_BYTES)))
        which = "small_part" if is_small else "part"
        n_exchanges = 1 if is_small else n_datasets
        # A rank's pieces go to as many writers, some to two; a writer gets as many from all.
        n_pieces = n_units / n_ranks
        n_peers = n_ranks if n_units == 0 else n_ranks * (n_pieces + 1) / n_writers
        return {"compression": raw_bytes / n_writers * c["part_cpu_seconds_per_byte"],
                "exchange": n_exchanges * self.exchange(n_ranks, raw_bytes / n_writers / n_exchanges, n_peers, n_writers),
                "agreements": (c[f"agreements_of_{which}"] + (0 if is_small else HDF5_MEETINGS)) * self.agreement(n_ranks) +
                              c[f"gathers_of_{which}"] * (self.gather(n_ranks, 8 * n_ranks) + self.broadcast(n_ranks, 8 * n_ranks)),
                "lists of units": n_units * c["order_seconds_per_unit"] +
                                  self.gather(n_ranks, n_units * span_bytes) + self.broadcast(n_ranks, n_units * span_bytes),
                "file servers": self.write(0.0, n_writers, raw_bytes * c["file_bytes_per_raw_byte"]),
                "commit latency": c["part_seconds"]}

    # A run

    def batch(self, precision, n_ranks, batch_bytes, seed):
        sizes = self.unit_bytes(batch_bytes)
        seconds = self.unit_seconds(batch_bytes, precision, seed)
        done, n_answers, dealer_busy = self.deal(sizes, seconds, n_ranks)
        work = sum(seconds)
        by = {"work": work / n_ranks, "dealing and tail": max(done) - work / n_ranks}
        raw, c, n_units = batch_bytes * self.c["raw_bytes_per_byte"], self.c, len(sizes)
        for table, n_datasets in N_DATASETS.items():
            if table != "rejects":
                share = c[f"share_{table}"]
                for what, took in self.part(n_ranks, raw * share, n_datasets, n_units, SPAN_BYTES[table]).items():
                    by[what] = by.get(what, 0) + took
        # What a batch has beside its parts; what it was counted on had four small ones.
        beside = {what: max(0, c[f"{what}_of_batch"] - 4 * c[f"{what}_of_small_part"]) for what in ("agreements", "gathers")}
        by["agreements"] += (beside["agreements"] * self.agreement(n_ranks) +
                             beside["gathers"] * self.gather(n_ranks, 256 * n_ranks))
        # Units are cut by all ranks alike, their work is estimated by a share each and told to all; who did them tells rank 0 their rows.
        by["lists of units"] += (n_units * (c["plan_seconds_per_unit"] + c["estimate_seconds_per_unit"] / n_ranks) +
                                 self.gather(n_ranks, n_units * ESTIMATE_BYTES) + self.broadcast(n_ranks, n_units * ESTIMATE_BYTES) +
                                 self.gather(n_ranks, n_units * ROWS_BYTES))
        # Rank 0 makes the record and now and then a checkpoint of the whole log.
        by["rank 0"] = c["record_seconds"] + n_units * c["record_seconds_per_unit"] + c["log_seconds_per_record"]
        return by, n_answers, dealer_busy

    def count(self, n_ranks, n_rows, n_mentions):
        """Application brought up to date: rows are counted, counts exchanged, sorted, exchanged again and written."""
        c = self.c
        packed = 56 * n_mentions
        raw = 80 * n_mentions
        n_parts = math.ceil(raw / max(PART_BYTES, raw / MOST_PARTS)) if raw else 0
        by = {what: n_parts * took for what, took in self.part(n_ranks, raw / max(n_parts, 1), 8).items()}
        by["counting"] = (n_rows + n_mentions) * c["count_seconds_per_row"] / n_ranks
        by["exchange"] += (3 + 3 * n_parts) * self.exchange(n_ranks, packed / n_ranks / max(n_parts, 1))
        return by

    def run(self, precision, n_ranks, total_bytes, batch_bytes, n_simulated=2):
        """Seconds by mechanism. All batches are alike but for chance: the first ones stand for all."""
        n_batches = max(1, round(total_bytes / batch_bytes))
        by, n = {}, min(n_batches, n_simulated if n_ranks < 1000 else 1)
        for i in range(n):
            for what, took in self.batch(precision, n_ranks, total_bytes / n_batches, i)[0].items():
                by[what] = by.get(what, 0) + took * n_batches / n
        # Application: at the end, of all that came, and in between once a minute or so that it takes a twentieth of the
        # time (COUNT_SECONDS, COUNT_TIMES of src/pipeline/run.c). The table in between is taken as half as large.
        n_rows = total_bytes * self.c["mentions_per_byte"]
        n_mentions = min(n_rows * self.c["distinct_of_mentions"], MOST_MENTIONS)
        between, half = sum(by.values()), sum(self.count(n_ranks, 0, n_mentions / 2).values())
        n_counts = int(between / max(COUNT_SECONDS, COUNT_TIMES * half))
        counts = [self.count(n_ranks, n_rows / (n_counts + 1), n_mentions)]
        if n_counts > 0:
            counts += [{what: n_counts * took for what, took in
                        self.count(n_ranks, n_rows / (n_counts + 1), n_mentions / 2).items()}]
        for count in counts:
            for what, took in count.items():
                by[what] = by.get(what, 0) + took
        by["start and end"] = self.c["start_seconds"] + self.agreement(n_ranks) * 20
        return by


def read_constants(path):
    constants = {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line and not line.startswith(("#", "name\t")):
            name, value = line.split("\t")[:2]
            constants[name] = float(value)
    return constants


def table(path, what, head, rows):
    lines = [f"# {what}", "\t".join(head)]
    lines += ["\t".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def batch_bytes(kind, n_ranks, batch_of_rank):
    """The default, or more where a rank would have less than its share."""
    return DEFAULT_BATCH if kind == "default" else max(DEFAULT_BATCH, batch_of_rank * n_ranks)


def scaling(model, precisions, rank_counts, strong_bytes, batch_of_rank, weak_bytes):
    """Efficiency is against one rank's time, per rank: for weak scaling with as much work as one of the many has."""
    rows = []
    for precision in precisions:
        alone = {kind: model.run(precision, 1, weak_bytes if kind == "weak" else strong_bytes, DEFAULT_BATCH)
                 for kind in ("strong", "weak", "default")}
        for kind in ("strong", "weak", "default"):
            for n_ranks in rank_counts:
                if kind == "default" and DEFAULT_BATCH / UNIT_BYTES < n_ranks:
                    continue
                total = weak_bytes * n_ranks if kind == "weak" else strong_bytes
                batch = min(batch_bytes(kind, n_ranks, batch_of_rank), total)
                by = model.run(precision, n_ranks, total, batch)
                took, one = sum(by.values()), sum(alone[kind].values())
                speed_up = one / took * (n_ranks if kind == "weak" else 1)
                most = max((what for what in by if what != "work"), key=by.get)
                rows.append((precision, kind, n_ranks, total / 1e9, took, speed_up / n_ranks, most, by[most] / took))
    return rows


def mechanisms(model, precision, batch_of_rank, rank_counts):
    """Seconds of a batch by mechanism and ranks; and the first number of ranks at which a mechanism has 5 % of it."""
    rows, reached = [], {}
    for n_ranks in rank_counts:
        by = model.batch(precision, n_ranks, batch_bytes("weak", n_ranks, batch_of_rank), 0)[0]
        total = sum(by.values())
        for what, took in by.items():
            if took > 0.05 * total and what != "work":
                reached.setdefault(what, n_ranks)
        rows.append((n_ranks, by, total))
    return rows, reached


def check(constants, measured):
    """Runs of this machine as the model has them: one node, whose ranks meet in memory, and its one disk."""
    model, rows = Model(constants, n_servers=1), []
    for line in pathlib.Path(measured).read_text().splitlines()[2:]:
        precision, kind, n_ranks, _, n_bytes, seconds = line.split("\t")[:6]
        took = sum(model.run(precision, int(n_ranks), int(n_bytes), max(int(n_bytes), 1 << 18)).values())
        rows.append((precision, kind, int(n_ranks), float(seconds), took, took / float(seconds) - 1))
    return rows


def markdown(model, precisions, rows, batch_of_rank, rank_counts):
    """The tables of docs/SCALING.md."""
    print("| ranks | " + " | ".join(f"{p} weak | {p} strong" for p in precisions) + " |\n|" + "---|" * (1 + 2 * len(precisions)))
    at = {row[:3]: row[5] for row in rows}
    for n_ranks in rank_counts:
        print(f"| {n_ranks:,} | " + " | ".join(f"{at[p, kind, n_ranks]:.3f}" for p in precisions for kind in ("weak", "strong")) + " |")
    print()
    print("| mechanism | " + " | ".join(f"{p}: 5 % at | at 10,000" for p in precisions) + " |\n|" + "---|" * (1 + 2 * len(precisions)))
    found = {p: mechanisms(model, p, batch_of_rank, rank_counts) for p in precisions}
    for what in found[precisions[0]][0][0][1]:
        if what != "work":
            cells = []
            for p in precisions:
                by_ranks, reached = found[p]
                _, by, total = by_ranks[-1]
                cells += [f"{reached[what]:,} ranks" if what in reached else "never", f"{100 * by[what] / total:.1f} %"]
            print(f"| {what} | " + " | ".join(cells) + " |")
    print()
    for p in precisions:
        year(model, p)


def year(model, precision, n_tweets=1e12):
    """A trillion tweets in 365 days, as they come: a batch a minute."""
    c, minutes = model.c, 365 * 24 * 60
    n_bytes = n_tweets / c["tweets_per_byte"]
    n_ranks = 1
    while True:  # the fewest that work off a minute's tweets in 0.7 minutes
        by, n_answers, _ = model.batch(precision, n_ranks, n_bytes / minutes, 0)
        count = model.count(n_ranks, n_bytes / minutes * c["mentions_per_byte"], MOST_MENTIONS)
        # Application, 20 times as long apart as it takes.
        took = sum(by.values()) * (1 + 1 / COUNT_TIMES)
        if took < 0.7 * 60:
            break
        n_ranks = math.ceil(n_ranks * max(1.02, min(took / (0.7 * 60), 2)))
    raw = n_bytes * c["raw_bytes_per_byte"]
    units = n_bytes / UNIT_BYTES
    print(f"- {precision}: {n_ranks:,} ranks, {took:.0f} s of each minute (largest after work: "
          f"{max((w for w in by if w != 'work'), key=by.get)}); {n_bytes / 1e12:.0f} TB of JSON, {raw * c['file_bytes_per_raw_byte'] / 1e12:.0f} TB "
          f"of parts written; {minutes:,} commits, {3 * minutes:,} parts, {units / minutes:.0f} units a commit; one update of application "
          f"with {MOST_MENTIONS / 1e6:.0f} million mentions {sum(count.values()):.0f} s; {n_ranks * 8760 / 1e3:.0f} thousand core-hours.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("constants")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--most", type=int, default=10000)
    parser.add_argument("--ranks-per-node", type=int, default=RANKS_PER_NODE)
    parser.add_argument("--servers", type=int, default=FILE_SERVERS)
    parser.add_argument("--measured")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/SCALING.md")
    options = parser.parse_args()
    model = Model(read_constants(options.constants), options.ranks_per_node, options.servers)
    precisions = [name[len(PER_TOKEN):] for name in model.c if name.startswith(PER_TOKEN)]
    counts = [n for n in (1, 2, 4, 16, 64, 256, 1000, 4000, 10000) if n <= options.most]
    command = "scripts/scaling/model.py " + pathlib.Path(options.constants).name
    options.out.mkdir(parents=True, exist_ok=True)

    if options.measured:
        table(options.out / "scaling_check.tsv", command, ("precision", "kind", "ranks", "measured_seconds", "model_seconds", "error"),
              check(model.c, options.measured))
    strong, batch_of_rank, weak = 256 << 30, 32 * UNIT_BYTES, 256 * UNIT_BYTES
    rows = scaling(model, precisions, counts, strong, batch_of_rank, weak)
    table(options.out / "scaling_model.tsv", command,
          ("precision", "kind", "ranks", "gigabytes", "seconds", "efficiency", "largest_loss", "its_share"), rows)
    if options.markdown:
        markdown(model, precisions, rows, batch_of_rank, counts)
    lines = []
    for precision in precisions:
        by_ranks, reached = mechanisms(model, precision, batch_of_rank, counts)
        for n_ranks, by, total in by_ranks:
            for what, took in by.items():
                lines.append((precision, n_ranks, what, took, took / total, reached.get(what, "-")))
    table(options.out / "scaling_mechanisms.tsv", command,
          ("precision", "ranks", "mechanism", "seconds_of_batch", "share", "ranks_at_5_percent"), lines)


if __name__ == "__main__":
    main()
