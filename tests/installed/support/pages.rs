//! The documented commands, taken from the pages and executed as they stand there.
//!
//! A block whose first line is a comment with a file name alone, `# name.yaml`, is a file that the reader saves. A block
//! ```` ```sh ```` is executed. A block ```` ```console ```` is executed too, and what each command prints is compared with
//! what the page shows; run with `UPDATE_PAGES=1` it is written into the page instead. Other blocks are not used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// What a page has a reader do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Commands.
    Run(String),
    /// Commands, each with what it prints.
    Show(Vec<Shown>),
}

/// A command and what it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The command.
    pub command: String,
    /// The lines below it.
    pub output: String,
}

/// A page of the documentation.
#[derive(Debug)]
pub struct Page {
    path: PathBuf,
    /// The files that a reader saves, by name.
    pub files: BTreeMap<String, String>,
    sections: Sections,
}

impl Page {
    /// Reads a page; its path counts from the root of the repository.
    pub fn read(path: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (files, sections) = parse(&text);
        Self { path, files, sections }
    }

    /// The steps of the section with this heading; the empty heading is what stands before all others but the title.
    pub fn section(&self, heading: &str) -> &[Step] {
        let found = self.sections.iter().find(|(of, _)| of == heading);
        &found.unwrap_or_else(|| panic!("{} has no section {heading:?}", self.path.display())).1
    }

    /// The headings of the sections that have steps, in their order.
    pub fn headings(&self) -> Vec<&str> {
        let with_steps = self.sections.iter().filter(|(_, steps)| !steps.is_empty());
        with_steps.map(|(heading, _)| heading.as_str()).collect()
    }

    /// Writes into the page what a command has printed now: at the first place that shows what this one shows, as the
    /// places before it were brought up to date.
    pub fn update(&self, shown: &Shown, printed: &str) {
        let text = fs::read_to_string(&self.path).unwrap();
        let before = format!("$ {}\n{}", shown.command, shown.output);
        let place = text.match_indices(&before).map(|(place, _)| place).find(|place| {
            let after = &text[place + before.len()..];
            after.starts_with("```") || after.starts_with("$ ")
        });
        let place = place.unwrap_or_else(|| panic!("{} shows no {before}", self.path.display()));
        let mut after = format!("$ {}\n{}", shown.command, printed.trim_end());
        if !after.ends_with('\n') {
            after.push('\n');
        }
        let rest = &text[place + before.len()..];
        fs::write(&self.path, format!("{}{after}{rest}", &text[..place])).unwrap();
    }
}

/// The sections of a page by their headings.
type Sections = Vec<(String, Vec<Step>)>;

/// Takes a page apart, into files and sections.
fn parse(text: &str) -> (BTreeMap<String, String>, Sections) {
    let (mut files, mut sections) = (BTreeMap::new(), vec![(String::new(), Vec::new())]);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push((heading.trim().to_owned(), Vec::new()));
        }
        let Some(fence) = line.strip_prefix("```") else { continue };
        let block: String =
            lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        let steps = &mut sections.last_mut().unwrap().1;
        match fence {
            "sh" => steps.push(Step::Run(block)),
            "console" => steps.push(Step::Show(shown(&block))),
            _ => {
                if let Some(name) = file_name(&block).map(str::to_owned) {
                    assert!(files.insert(name.clone(), block).is_none(), "two files {name}");
                }
            }
        }
    }
    (files, sections)
}

/// The file that a block is: its first line is a comment with the name alone.
fn file_name(block: &str) -> Option<&str> {
    let name = block.lines().next()?.strip_prefix("# ")?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_part = |part: &str| !part.is_empty() && !part.contains([' ', '/']);
    (is_part(stem) && is_part(ending)).then_some(name)
}

/// Takes the text of a console apart.
fn shown(block: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            all.push(Shown { command: command.to_owned(), output: String::new() });
        } else if let Some(last) = all.last_mut() {
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    all
}

/// Whether a command printed what the page shows: the same lines in the same order, however wide the columns are. What is
/// different each time (ages, times, ids, the ends of generated names) has to be of the same kind.
pub fn prints_the_same(shown: &str, printed: &str) -> Result<(), String> {
    if printed.contains(MISSING) {
        return Err(format!("a field that does not exist is asked for; this was printed:\n{printed}"));
    }
    let words = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect()
    };
    let (shown, printed) = (words(shown), words(printed));
    let fits = shown.len() == printed.len()
        && shown.iter().zip(&printed).all(|(shown, printed)| pattern(shown).is_match(printed));
    if fits {
        return Ok(());
    }
    Err(format!("the page shows:\n{}\nbut this was printed:\n{}", shown.join("\n"), printed.join("\n")))
}

/// What kubectl prints for a field that does not exist.
const MISSING: &str = "<no value>";

/// What is different each time.
const CHANGING: [(&str, &str); 10] = [
    // Names in the portal begin with a hash that has a random part of the installation in it.
    (r"\bt[a-z0-9]{10}-", r"t[a-z0-9]{10}-"),
    // Addresses are as long as the simulator's happen to be.
    (r"\b\d+ bytes", r"\d+ bytes"),
    // What a wallet's client is called; the page may leave the rest out.
    (r"sb-[0-9a-f-]{36}\S+", r"sb-\S+"),
    // Keyed digests.
    (r"\b[0-9a-f]{32}\b", r"[0-9a-f]{32}"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", r"[0-9a-f-]{36}"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", r"\d{4}-\d\d-\d\dT[0-9:.]+Z"),
    (r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w+ \d+ [0-9:]+ \d{4}", r"\w+ \w+ +\d+ [0-9:]+ \d{4}"),
    (r"\bsa\d+\b", r"sa\d+"),
    (r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b", r"-[0-9a-f]{8,10}-[a-z0-9]{5}"),
    (r"\b\d+(?:m\d+)?[smh](?: \(x\d+ over \d+[smh]\))?", r"\d+(?:m\d+)?[smh](?: \(x\d+ over \d+[smh]\))?"),
];

/// A line as a pattern of what may be printed.
fn pattern(line: &str) -> Regex {
    let any = CHANGING.map(|(found, _)| format!("({found})")).join("|");
    let changing = Regex::new(&any).unwrap();
    let (mut pattern, mut end) = ("^".to_owned(), 0);
    for found in changing.captures_iter(line) {
        let whole = found.get(0).unwrap();
        pattern.push_str(&regex::escape(&line[end..whole.start()]));
        let kind = (0..CHANGING.len()).find(|kind| found.get(kind + 1).is_some()).unwrap();
        pattern.push_str(CHANGING[kind].1);
        end = whole.end();
    }
    pattern.push_str(&regex::escape(&line[end..]));
    pattern.push('$');
    Regex::new(&pattern).unwrap()
}

#[test]
fn a_page_is_taken_apart() {
    let page = "# Title\n```yaml\n# a.yaml\nkind: A\n```\n## One\n```sh\nx\ny\n```\n```yaml\n# A comment. It is no name.\nkind: B\n```\n\
                ## Two\n```console\n$ get\nNAME\na\n\n$ again\n```\n";
    let (files, sections) = parse(page);
    assert_eq!(files, BTreeMap::from([("a.yaml".to_owned(), "# a.yaml\nkind: A\n".to_owned())]));
    let shown =
        |command: &str, output: &str| Shown { command: command.to_owned(), output: output.to_owned() };
    assert_eq!(
        sections,
        [
            (String::new(), vec![]),
            ("One".to_owned(), vec![Step::Run("x\ny\n".to_owned())]),
            ("Two".to_owned(), vec![Step::Show(vec![shown("get", "NAME\na\n\n"), shown("again", "")])]),
        ]
    );
}

#[test]
fn no_page_shows_a_field_that_does_not_exist() {
    fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pages(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    for folder in ["docs", "charts", "examples"] {
        pages(&root.join(folder), &mut found);
    }
    assert!(found.len() > 5, "{found:?}");
    for page in found {
        assert!(!fs::read_to_string(&page).unwrap().contains(MISSING), "{}", page.display());
    }
    let shown = format!("{MISSING} role\n");
    prints_the_same(&shown, &shown).unwrap_err();
}

#[test]
fn what_is_different_each_time_is_of_the_same_kind() {
    let shown = "NAME     READY  AGE\nx-6b7f9c4d58-x2k9p 1/1 4m\n";
    prints_the_same(shown, "NAME READY   AGE\nx-77c9d5b6f8-zzzzz   1/1    1m20s\n").unwrap();
    prints_the_same(shown, "NAME READY   AGE\nx-77c9d5b6f8-zzzzz   0/1    1m20s\n").unwrap_err();
    prints_the_same(shown, "NAME READY   AGE\n").unwrap_err();
    prints_the_same("client sa42\n", "client sa7\n").unwrap();
    prints_the_same("client sa42\n", "client sa-op\n").unwrap_err();
}
