//! `cargo xtask layers`: which crate may depend on which.

use std::path::Path;

use crate::failure::Failure;
use crate::workspace::{Package, Workspace, cargo, output};

/// Crates from outside that only one of ours may know: clients of AWS, and Lambda's runtime.
const KNOWN_BY_ONE: [(&str, &str); 3] = [
    ("aws-sdk-s3", "s3inv-store"),
    ("aws-sdk-sfn", "s3inv-lambda-kit"),
    ("lambda_runtime", "s3inv-lambda-kit"),
];

/// Crates that read and write bytes, and never wait.
const SYNCHRONOUS: [&str; 5] =
    ["s3inv-model", "s3inv-index-format", "s3inv-rollup", "s3inv-inventory", "s3inv-pricing"];

pub(crate) fn run() -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let mut broken = known_elsewhere(&workspace.packages);
    broken.extend(outward(&workspace.packages, &workspace.root.join("shared")));
    for name in SYNCHRONOUS {
        broken.extend(tokio_in(&tree(name)?).then(|| format!("{name} depends on tokio")));
    }
    if broken.is_empty() {
        println!("layers: {} packages keep to them", workspace.packages.len());
        return Ok(());
    }
    Err(Failure::new(broken.join("; "), "move the code to the layer that may depend on it"))
}

/// Dependencies that only tests have are free.
fn dependencies(package: &Package) -> impl Iterator<Item = &crate::workspace::Dependency> {
    package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"))
}

fn known_elsewhere(packages: &[Package]) -> Vec<String> {
    let elsewhere = |(crate_name, only): (&'static str, &'static str)| {
        let knows = move |package: &&Package| dependencies(package).any(|found| found.name == crate_name);
        let others = packages.iter().filter(move |package| package.name != only).filter(knows);
        others.map(move |package| format!("{} depends on {crate_name}", package.name))
    };
    KNOWN_BY_ONE.into_iter().flat_map(elsewhere).collect()
}

/// Packages in `shared` that depend on one outside of it.
fn outward(packages: &[Package], shared: &Path) -> Vec<String> {
    let inner = packages.iter().filter(|package| package.manifest_path.starts_with(shared));
    let pairs =
        inner.flat_map(|package| package.dependencies.iter().map(move |dependency| (package, dependency)));
    let outer = pairs.filter(|(_, to)| to.path.as_ref().is_some_and(|path| !path.starts_with(shared)));
    outer.map(|(from, to)| format!("{} depends on {}, outside of shared/", from.name, to.name)).collect()
}

/// All that the package is built with, a line each. A package that is not there is an error.
fn tree(package: &str) -> Result<String, Failure> {
    let args = ["tree", "--edges", "normal", "--prefix", "none", "--package", package];
    let text = output(cargo().args(args), "correct the names in xtask/src/layers.rs")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn tokio_in(tree: &str) -> bool {
    tree.lines().any(|line| line.starts_with("tokio v"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(dependency: &str) -> Vec<Package> {
        let json = format!(
            r#"[{{"name": "s3inv-model", "manifest_path": "/w/shared/model/Cargo.toml", "dependencies": [{dependency}]}},
                {{"name": "s3inv-store", "manifest_path": "/w/shared/store/Cargo.toml",
                  "dependencies": [{{"name": "aws-sdk-s3", "kind": null, "path": null}}]}}]"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn broken(dependency: &str) -> Vec<String> {
        let packages = packages(dependency);
        let mut broken = known_elsewhere(&packages);
        broken.extend(outward(&packages, Path::new("/w/shared")));
        broken
    }

    #[test]
    fn clients_are_known_by_one_crate_each() {
        assert_eq!(
            broken(r#"{"name": "aws-sdk-s3", "kind": null, "path": null}"#),
            ["s3inv-model depends on aws-sdk-s3"]
        );
        assert!(broken(r#"{"name": "aws-sdk-s3", "kind": "dev", "path": null}"#).is_empty());
        assert_eq!(
            broken(r#"{"name": "lambda_runtime", "kind": null, "path": null}"#),
            ["s3inv-model depends on lambda_runtime"]
        );
    }

    #[test]
    fn shared_stays_inside() {
        assert!(broken(r#"{"name": "s3inv-store", "kind": null, "path": "/w/shared/store"}"#).is_empty());
        assert_eq!(
            broken(r#"{"name": "s3inv-index", "kind": "dev", "path": "/w/cli"}"#),
            ["s3inv-model depends on s3inv-index, outside of shared/"]
        );
    }

    #[test]
    fn tokio_is_told_from_its_kin() {
        assert!(tokio_in("a v1\ntokio v1.2.3\n"));
        assert!(!tokio_in("a v1\ntokio-util v1.2.3\n"));
    }
}
