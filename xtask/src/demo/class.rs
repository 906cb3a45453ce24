use super::packages::Package;

const MIB: u64 = 1 << 20;

/// The storage class and access tier that the demo gives a package. It is a rule of ours, so that
/// every kind of class shows up; `cli/demo/README.md` states it.
pub(super) fn class(package: &Package) -> (&'static str, &'static str) {
    match package.size {
        _ if named(package, "-doc") => ("STANDARD_IA", ""),
        _ if named(package, "-dbg") => ("GLACIER_IR", ""),
        size if size <= 10 * MIB => ("STANDARD", ""),
        size if size <= 30 * MIB => ("INTELLIGENT_TIERING", "FREQUENT"),
        size if size <= 100 * MIB => ("INTELLIGENT_TIERING", "INFREQUENT"),
        _ => ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS"),
    }
}

/// Whether the package's name ends so: a file is `name_version_architecture.deb`.
fn named(package: &Package, ending: &str) -> bool {
    let file = package.filename.rsplit('/').next().unwrap_or_default();
    file.split('_').next().is_some_and(|name| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_comes_before_size() {
        let of = |filename: &str, size| class(&Package { filename: filename.to_owned(), size });
        assert_eq!(of("pool/x-doc/x_1_all.deb", 10 * MIB), ("STANDARD", ""));
        assert_eq!(of("pool/x/x-doc_1_all.deb", 99 * MIB), ("STANDARD_IA", ""));
        assert_eq!(of("pool/x/x-dbg_1_amd64.deb", 1), ("GLACIER_IR", ""));
        assert_eq!(of("pool/x/x_1_all.deb", 10 * MIB + 1), ("INTELLIGENT_TIERING", "FREQUENT"));
        assert_eq!(of("pool/x/x_1_all.deb", 100 * MIB), ("INTELLIGENT_TIERING", "INFREQUENT"));
        assert_eq!(
            of("pool/x/x_1_all.deb", 100 * MIB + 1),
            ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS")
        );
    }
}
