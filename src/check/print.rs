//! Prints the report: for people line by line during the check, for programs as one document at the end.

use std::io::Write;

use super::report::{Addresses, Left, Report, Step, Verdict};
use crate::config::Output;

/// Collects the report and prints it.
pub(crate) struct Printer<'a> {
    out: &'a mut (dyn Write + Send),
    output: Output,
    report: Report,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(out: &'a mut (dyn Write + Send), output: Output) -> Self {
        Self { out, output, report: Report::default() }
    }

    /// The addresses, which are the first step.
    pub(crate) fn target(&mut self, target: &Addresses) {
        self.report.target = Some(target.clone());
        let step = Step::ok("target", "the addresses")
            .line(format!("portal          {}", target.url))
            .line(format!("token endpoint  {}", target.token_url));
        self.step(match &target.bpn {
            Some(bpn) => step.line(format!("company         {bpn}")),
            None => step,
        });
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.text(&lines_of(&step));
        self.report.steps.push(step);
    }

    /// What is missing, printed once more at the end.
    pub(crate) fn missing(&mut self, words: impl Into<String>) {
        self.report.missing.push(words.into());
    }

    /// What a person should know, printed at the end.
    pub(crate) fn note(&mut self, words: impl Into<String>) {
        self.report.notes.push(words.into());
    }

    /// A user that is kept in the portal.
    pub(crate) fn left(&mut self, left: Left) {
        self.report.left.push(left);
    }

    /// Something that takes a while, for people only.
    pub(crate) fn waiting(&mut self, words: &str) {
        self.text(&format!("...   {words}\n"));
    }

    /// The end of the report; its exit code.
    pub(crate) fn finish(mut self) -> u8 {
        match self.output {
            Output::Text => self.text(&summary(&self.report)),
            Output::Json => {
                let document = format!("{:#}\n", self.report.json());
                self.write(&document);
            }
        }
        self.report.exit_code()
    }

    fn text(&mut self, text: &str) {
        if self.output == Output::Text {
            self.write(text);
        }
    }

    /// A reader that has ended is no reason to leave a user in the portal.
    fn write(&mut self, text: &str) {
        let _reader_has_ended = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Names in the portal may contain control characters, which a terminal obeys.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn lines_of(step: &Step) -> String {
    let first = format!("{:<5} {:<18} {}\n", step.verdict.label(), step.name, plain(&step.words));
    let further = step.lines.iter().map(|line| format!("{:<24} {}\n", "", plain(line)));
    std::iter::once(first).chain(further).collect()
}

fn summary(report: &Report) -> String {
    let mut text = String::from("\n");
    let mut list = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            text.push_str(title);
            for line in lines {
                text.push_str("\n  - ");
                text.push_str(&plain(line));
            }
            text.push('\n');
        }
    };
    list("Missing:", &report.missing);
    list("Notes:", &report.notes);
    let left: Vec<String> = report.left.iter().map(Left::line).collect();
    list("Left in the portal:", &left);
    text.push_str(&result(report));
    text
}

fn result(report: &Report) -> String {
    let failed = report.steps.iter().filter(|step| step.verdict > Verdict::Note).count();
    match (report.exit_code(), failed) {
        (0, _) if report.left.is_empty() => "Result: nothing is missing (exit code 0)\n".to_owned(),
        (0, _) => {
            "Result: nothing is missing; a person has to delete the users that are left (exit code 0)\n"
                .to_owned()
        }
        (code, 1) => format!("Result: 1 step failed (exit code {code})\n"),
        (code, failed) => format!("Result: {failed} steps failed (exit code {code})\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(output: Output, fill: impl FnOnce(&mut Printer<'_>)) -> (u8, String) {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, output);
        fill(&mut printer);
        let code = printer.finish();
        (code, String::from_utf8(out).unwrap())
    }

    fn fill(printer: &mut Printer<'_>) {
        printer.step(Step::ok("token", "obtained").line("for sa1"));
        printer.step(Step::missing("create", "no"));
        printer.waiting("a while");
        printer.missing("create is missing");
        printer.note("by the way");
    }

    #[test]
    fn text_is_lines_and_a_summary() {
        let (code, text) = printed(Output::Text, fill);
        assert_eq!(code, 1);
        let want = "ok    token              obtained\n                         for sa1\nMISS  create             no\n\
                    ...   a while\n\nMissing:\n  - create is missing\nNotes:\n  - by the way\nResult: 1 step failed (exit code 1)\n";
        assert_eq!(text, want);
    }

    #[test]
    fn json_is_one_document_and_nothing_else() {
        let (code, text) = printed(Output::Json, fill);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &document["exitCode"]), (1, &serde_json::json!(1)));
    }

    #[test]
    fn no_name_commands_the_terminal() {
        let (_, text) = printed(Output::Text, |p| p.step(Step::ok("x", "a\u{1b}[2Jb\nc")));
        assert!(text.starts_with("ok    x                  a\u{fffd}[2Jb\u{fffd}c\n"), "{text}");
    }

    #[test]
    fn a_reader_that_has_ended_changes_nothing() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut gone = Gone;
        let mut printer = Printer::new(&mut gone, Output::Text);
        printer.step(Step::ok("x", "y"));
        assert_eq!(printer.finish(), 0);
    }
}
