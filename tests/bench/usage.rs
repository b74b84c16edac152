//! What processes use of the machine, as Linux counts it.

use std::fs;
use std::time::Duration;

/// Linux counts processor time for programs in hundredths of a second, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process has used since its start.
pub fn processor_time(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name of the program, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')').unwrap();
    rest.split_whitespace().skip(11).take(2).map(ticks).sum()
}

/// The time that all processors of the machine were busy since its start.
pub fn machine_time() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let fields = text.lines().next().unwrap().split_whitespace().skip(1);
    // Without `idle` and `iowait`, and without the guests, which are in the first two fields already.
    let busy = fields.take(8).enumerate().filter(|(place, _)| ![3, 4].contains(place));
    busy.map(|(_, field)| ticks(field)).sum()
}

fn ticks(field: &str) -> Duration {
    TICK * field.parse::<u32>().unwrap()
}

/// Memory of a process in MiB: `VmRSS` (now) or `VmHWM` (the most so far).
pub fn memory(pid: u32, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024.0
}

/// The number of processors.
pub fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |count| super::figures::float(count.get()))
}

#[test]
fn a_process_uses_less_than_the_machine() {
    let own = processor_time(std::process::id());
    assert!(own <= machine_time());
    assert!(memory(std::process::id(), "VmRSS") <= memory(std::process::id(), "VmHWM"));
}
