//! Prometheus' classic text format, derived from `OpenMetrics`' text.
//!
//! Their samples are the same. In the classic format the type of a counter is given for the name of its samples, which ends in
//! `_total`; an info is a gauge; units and the end mark do not exist.

use std::fmt::Write as _;

/// The same metrics in the classic text format (0.0.4).
pub(super) fn of_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map(|(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (name, kind) = classic(name, kind);
            if let Some(help) = help.take() {
                // Quotation marks are escaped in OpenMetrics alone.
                let _ = writeln!(out, "# HELP {name} {}", help.replace("\\\"", "\""));
            }
            let _ = writeln!(out, "# TYPE {name} {kind}");
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn classic<'a>(name: &str, kind: &'a str) -> (String, &'a str) {
    match kind {
        "counter" => (format!("{name}_total"), "counter"),
        "info" => (format!("{name}_info"), "gauge"),
        "unknown" => (name.to_owned(), "untyped"),
        _ => (name.to_owned(), kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stand_at_the_names_of_their_samples() {
        let text = "# HELP tuo_reconciles Reconciles \\\"by\\\" how they ended.\n# TYPE tuo_reconciles counter\n\
                    tuo_reconciles_total{kind=\"portal\"} 1\n# HELP took How long.\n# TYPE took histogram\n# UNIT took seconds\n\
                    took_sum 0.2\ntook_bucket{le=\"+Inf\"} 1\n# HELP build What.\n# TYPE build info\n\
                    build_info{version=\"1\"} 1\n# HELP other O.\n# TYPE other unknown\nother 1\n# EOF\n";
        let classic = "# HELP tuo_reconciles_total Reconciles \"by\" how they ended.\n# TYPE tuo_reconciles_total counter\n\
                       tuo_reconciles_total{kind=\"portal\"} 1\n# HELP took How long.\n# TYPE took histogram\n\
                       took_sum 0.2\ntook_bucket{le=\"+Inf\"} 1\n# HELP build_info What.\n# TYPE build_info gauge\n\
                       build_info{version=\"1\"} 1\n# HELP other O.\n# TYPE other untyped\nother 1\n";
        assert_eq!(of_open_metrics(text), classic);
    }
}
