#!/usr/bin/env python3
"""Every source must compile for arm64 (the portable paths), and the kernels there must give x86-64's bits. Takes the
flags from the build's compile_commands.json. The libraries' headers are the build machine's: Debian's are the same on
both, but for those of the C library, which the cross compiler brings. Skipped without that compiler; the bits are
skipped without qemu-aarch64."""
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

CROSS = "aarch64-linux-gnu-gcc"
HEADERS = ["xxhash.h", "xxh3.h", "zlib.h", "zconf.h", "curl", "x86_64-linux-gnu/curl"]  # in the system's folder itself
KERNELS = ["kernels.c", "amx.c", "int8.c", "int8_tile.c", "word_tile.c"]


def flags_of(command):
    """Of a compiler's command line: where to look, what to define, how to warn and round."""
    words = shlex.split(command)[1:]
    flags = []
    for i, word in enumerate(words):
        if word.startswith(("-I", "-D", "-W", "-f", "-std")) and not word.startswith("-fsanitize"):
            flags.append(word)
        elif word == "-isystem":
            flags += [word, words[i + 1]]
    return flags


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def check_sources(commands, headers):
    """Files that do not compile, with what the compiler says."""

    def check(entry):
        done = run(CROSS, *flags_of(entry["command"]), "-isystem", headers, "-fsyntax-only", entry["file"])
        return entry["file"], done.returncode, done.stderr

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [(name, said) for name, code, said in pool.map(check, commands) if code or said]


def bits(compiler, runner, commands, folder, headers):
    """What bits.c prints when compiled by `compiler`, the best set's name last; the model's flags for all."""
    source = pathlib.Path(__file__).with_name("bits.c")
    model = next(e for e in commands if e["file"].endswith("/src/model/kernels.c"))
    files = [e["file"] for e in commands if "/src/base/" in e["file"] and not e["file"].endswith("hash.c")]
    files += [str(pathlib.Path(model["file"]).with_name(name)) for name in KERNELS]
    program = os.path.join(folder, "bits-" + os.path.basename(compiler))
    # Of base what is used alone: the rest wants libraries.
    done = run(compiler, *flags_of(model["command"]), "-O2", "-isystem", headers, str(source), *files, "-static", "-ffunction-sections",
               "-Wl,--gc-sections", "-lm",
               "-o", program)
    if done.returncode:
        sys.exit(f"{compiler}: {done.stderr}")
    done = run(*runner, program)
    if done.returncode:
        sys.exit(f"{program}: {done.returncode} {done.stderr}")
    return done.stdout, done.stderr.strip()


def main():
    if not shutil.which(CROSS):
        print(f"skipped: there is no {CROSS} (apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross)")
        sys.exit(77)
    with open(sys.argv[1]) as f:
        commands = [e for e in json.load(f) if "/src/" in e["file"]]
    with tempfile.TemporaryDirectory(prefix="murmur-arm64-") as folder:
        headers = os.path.join(folder, "include")
        os.mkdir(headers)
        for name in HEADERS:
            if os.path.exists("/usr/include/" + name):
                os.symlink("/usr/include/" + name, os.path.join(headers, os.path.basename(name)))
        failures = check_sources(commands, headers)
        for name, said in failures:
            print(f"{name}:\n{said}")
        if failures:
            sys.exit(f"{len(failures)} of {len(commands)} files do not compile for arm64")
        print(f"{len(commands)} files compile for arm64")
        if not shutil.which("qemu-aarch64"):
            print("the bits of its kernels are skipped: there is no qemu-aarch64 (apt-get install qemu-user)")
            return
        here, best = bits("cc", [], commands, folder, headers)
        there, portable = bits(CROSS, ["qemu-aarch64"], commands, folder, headers)
        for ours, theirs in zip(here.splitlines(), there.splitlines(), strict=True):
            if ours != theirs:
                sys.exit(f"{best} here: {ours}, {portable} on arm64: {theirs}")
        print(f"{len(here.splitlines())} results have the same bits: {best} here, {portable} on arm64")


main()
