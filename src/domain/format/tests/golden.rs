//! Each format as a file, byte by byte. `UPDATE_GOLDEN=1 cargo test --lib golden` writes the files.

use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;

use super::{options, values};
use crate::domain::format::{Content, Dialect, Format, Options, render};
use crate::domain::user::UserKind;

const SECRET: &str = "placeholder $not!a|real=secret#\\\"'";

/// All keys of a content, each with its value below it.
fn listing(content: &Content) -> String {
    let section =
        |(key, value): (&String, &secrecy::SecretString)| format!("== {key}\n{}\n", value.expose_secret());
    content.iter().map(section).collect()
}

/// A file for each format, and for each choice that changes more than names.
fn cases() -> Vec<(String, Format, Options, UserKind)> {
    let usual = |format: Format| {
        let kind = match format {
            Format::Raw
            | Format::SpringEnv
            | Format::SpringApplication
            | Format::Dotenv
            | Format::Template => UserKind::Internal,
            _ => UserKind::External,
        };
        (format.entry().name.to_owned(), format, options(), kind)
    };
    let older = Options { dialect: Dialect::V0_12, ..options() };
    Format::ALL
        .into_iter()
        .map(usual)
        .chain([
            ("EdcHelmValues-0.12".to_owned(), Format::EdcHelmValues, older, UserKind::External),
            (
                "DataSpaceIntegration-connector".to_owned(),
                Format::DataSpaceIntegration,
                options(),
                UserKind::Internal,
            ),
        ])
        .collect()
}

#[test]
fn each_format_is_as_its_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/format/golden");
    for (name, format, options, kind) in cases() {
        let listing = listing(&render(format, &options, &values(kind, SECRET)).unwrap());
        let file = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &listing).unwrap();
        }
        assert_eq!(listing, fs::read_to_string(&file).unwrap_or_default(), "{}", file.display());
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), cases().len(), "a file belongs to no format");
}
