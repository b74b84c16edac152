//! Links between the pages lead to files and headings that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use regex::Regex;

use crate::{ROOT, read, tracked};

/// A page without its blocks of code.
fn prose(page: &str) -> String {
    let mut code = false;
    let mut text = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        if !code && !fence {
            text += line;
            text.push('\n');
        }
        code ^= fence;
    }
    text
}

/// The anchor that a heading gets on the site that shows the pages.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// The path that a relative one means, seen from a page.
fn target(page: &str, path: &str) -> PathBuf {
    let mut target = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => assert!(target.pop(), "{page}: {path}"),
            part => target.push(part),
        }
    }
    target
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    let pages: BTreeMap<_, _> =
        tracked("*.md").into_iter().map(|page| (PathBuf::from(&page), prose(&read(&page)))).collect();
    let (mut links, mut broken) = (0, Vec::new());
    for (page, text) in &pages {
        let page = page.to_str().unwrap();
        for found in link.captures_iter(text).map(|found| found[1].split_whitespace().collect::<String>()) {
            if found.starts_with("https://") {
                continue;
            }
            links += 1;
            let (path, heading) = found.split_once('#').unwrap_or((&found, ""));
            let to = if path.is_empty() { PathBuf::from(page) } else { target(page, path) };
            let known =
                heading.is_empty() || pages.get(&to).is_some_and(|text| anchors(text).contains(heading));
            if !Path::new(ROOT).join(&to).exists() || !known {
                broken.push(format!("{page}: {found}"));
            }
        }
    }
    assert!(links > 40, "only {links} links found");
    assert!(broken.is_empty(), "these links lead nowhere: {broken:#?}");
}

#[test]
fn headings_become_anchors() {
    assert_eq!(anchor("Try a create and a deletion: `--write`"), "try-a-create-and-a-deletion---write");
    assert_eq!(anchor("Merge patches with `resourceVersion`"), "merge-patches-with-resourceversion");
    assert_eq!(target("docs/check.md", "../tests/simulator"), PathBuf::from("tests/simulator"));
    assert_eq!(prose("a\n```sh\n# b\n```\nc"), "a\nc\n");
}
