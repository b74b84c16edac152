#!/usr/bin/env bash
# Changes the code at a sample of places, one at a time (mutants), and reports which changes no test notices.
#
# First the unit tests run for each mutant, then SIMULATED seeds of the simulation for those that survive. Mutants of the plan that survive
# these as well meet the exhaustive search.
# SEED chooses the sample and COUNT is its size, about; COUNT=0 takes all mutants. The report is target/mutants/report.md. MUTANTS_OF has
# globs of the files to change. JOBS mutants are tried at a time. CARGO_MUTANTS names another cargo-mutants.
set -euo pipefail
cd "$(dirname "$0")/.."
# renovate: datasource=crate depName=cargo-mutants
version="27.1.0"
seed="${SEED:-1}"
count="${COUNT:-150}"
simulated="${SIMULATED:-30}"
jobs="${JOBS:-2}"
read -ra globs <<<"${MUTANTS_OF:-src/domain/** src/controller/**}"

mutants="${CARGO_MUTANTS:-$(tools/cargo-program.sh cargo-mutants "$version")}"

# Each job compiles in a directory of its own: rustc compiles a crate as a whole again if its path is another one than before.
unset CARGO_TARGET_DIR
out=target/mutants
rm -rf "$out"
mkdir -p "$out"
files=()
for glob in "${globs[@]}"; do files+=(--file "$glob"); done
"$mutants" mutants --list "${files[@]}" >"$out/all.txt"

# as_pattern: a regular expression that matches exactly the names of standard input.
as_pattern() {
  python3 -c 'import re, sys; print("^(" + "|".join(re.escape(line.rstrip("\n")) for line in sys.stdin) + ")$")'
}

# try NAME SECONDS SURVIVORS TARGETS ARGUMENTS...: runs these targets of cargo test with these arguments, for at most so long, for each
# mutant that this file names, or for the sample where it is empty. That a mutant survives is no error.
try() {
  local name="$1" seconds="$2" survivors="$3" targets=() which=("${sample[@]}")
  if [ -n "$survivors" ]; then
    which=(--re "$(as_pattern <"$survivors")")
    # cargo-mutants 27.1 ignores the pattern for fields that it deletes: at least no other files are changed.
    while read -r file; do which+=(--file "$file"); done < <(cut -d: -f1 "$survivors" | sort -u)
  fi
  # What is not among the arguments of each call of cargo is compiled for each mutant.
  for target in $4; do targets+=(--cargo-arg "$target"); done
  shift 4
  "$mutants" mutants "${which[@]}" "${targets[@]}" --colors never --cap-lints true --timeout "$seconds" \
    --jobs "$jobs" --output "$out/$name" -- -- "$@" || [ $? -le 3 ]
}

every=$(($(wc -l <"$out/all.txt") / (count > 0 ? count : 1 << 30)))
sample=("${files[@]}")
# Every n-th mutant.
if [ "$every" -gt 1 ]; then sample+=(--sharding round-robin --shard "$((seed % every))/$every"); fi

# The model has fewer schedules here than in make test, and its exhaustive search takes longer than all other unit tests: it comes with
# the simulation.
PROPTEST_CASES="${PROPTEST_CASES:-100}" try unit 120 "" --lib --skip exhaustive
survivors="$out/unit/mutants.out/missed.txt"
if [ -s "$survivors" ]; then
  SEEDS="$simulated" try simulation 900 "$survivors" "--test=simulation" runs::
fi
survivors="$out/simulation/mutants.out/missed.txt"
if [ -s "$survivors" ] && grep "^src/domain/plan/" "$survivors" >"$out/of-the-plan.txt"; then
  try exhaustive 900 "$out/of-the-plan.txt" "--lib" exhaustive
fi

python3 - "$out" "$seed" <<'PY'
import pathlib
import sys

out, seed = pathlib.Path(sys.argv[1]), sys.argv[2]


def names(stage, kind):
    path = out / stage / "mutants.out" / f"{kind}.txt"
    return path.read_text().splitlines() if path.exists() else []


unit = {kind: names("unit", kind) for kind in ("caught", "missed", "timeout", "unviable")}
searched = {name for kind in ("caught", "timeout") for name in names("exhaustive", kind)}
missed = [name for name in names("simulation", "missed") if name in set(unit["missed"]) - searched]
viable = len(unit["caught"]) + len(unit["timeout"]) + len(unit["missed"])
caught = viable - len(missed)
lines = [
    f"# Mutants (SEED={seed})",
    "",
    f"{viable} viable, {len(unit['unviable'])} do not compile. Caught: {caught} ({100 * caught / max(viable, 1):.0f} %), of these "
    f"{len(unit['caught']) + len(unit['timeout'])} by unit tests and {len(unit['missed']) - len(missed)} by simulation and search.",
    "",
    "Missed:",
    "",
    *(f"- `{name}`" for name in missed),
]
(out / "report.md").write_text("\n".join(lines) + "\n")
print("\n".join(lines))
PY
