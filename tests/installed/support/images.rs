//! The images, built by the same scripts as a person's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use parking_lot::Mutex;

/// Where images are put.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("images-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a script of the repository.
fn run(script: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    // Not two at once: cargo would only wait, and its target folder is one.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(format!("{root}/{script}"));
    command.args(arguments).envs(environment.iter().copied()).current_dir(root);
    let output = command.output().unwrap_or_else(|error| panic!("{script}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} ended with {}:\n{said}", output.status);
}

/// The operator's image under this name, as an archive. The `build` is put behind the program's end: a program of other
/// bytes that does the same.
pub fn operator(name: &str, build: &str) -> PathBuf {
    let file = folder().join(format!("{}.tar", name.replace(['/', ':'], "-")));
    let out = file.to_str().unwrap();
    if build.is_empty() {
        run("tools/image.sh", &[], &[("IMAGE", name), ("OUT", out)]);
        return file;
    }
    let release = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join(release).join("release/technical-user-operator");
    let mut program = fs::read(&release).unwrap_or_else(|error| panic!("{}: {error}", release.display()));
    program.extend_from_slice(build.as_bytes());
    let binary = folder().join(format!("technical-user-operator-{build}"));
    fs::write(&binary, program).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    run("tools/image.sh", &[], &[("IMAGE", name), ("OUT", out), ("BINARY", binary.to_str().unwrap())]);
    file
}

/// The image of a program that plays a connector and trusts these authorities (PEM).
pub fn connector(name: &str, authorities: &str) -> PathBuf {
    let file = folder().join(format!("{}.tar", name.replace(['/', ':'], "-")));
    let roots = file.with_extension("pem");
    fs::write(&roots, authorities).unwrap();
    run("tests/connector/image.sh", &[file.to_str().unwrap(), name, roots.to_str().unwrap()], &[]);
    file
}
