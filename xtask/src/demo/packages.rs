use std::io::{self, BufRead};

/// A package in the pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    /// Its path in the archive.
    pub(super) filename: String,
    /// Bytes.
    pub(super) size: u64,
}

/// All packages of a `Packages` index: paragraphs of `Name: value`, a blank line after each.
pub(super) fn read(index: impl BufRead) -> io::Result<Vec<Package>> {
    let mut packages = Vec::new();
    let mut filename = String::new();
    for line in index.lines() {
        let line = line?;
        // The size follows the name.
        if let Some(value) = line.strip_prefix("Filename: ") {
            value.clone_into(&mut filename);
        } else if let Some(value) = line.strip_prefix("Size: ") {
            packages.push(Package { filename: std::mem::take(&mut filename), size: parse(value)? });
        }
    }
    Ok(packages)
}

fn parse(size: &str) -> io::Result<u64> {
    size.parse().map_err(|_| io::Error::other(format!("size {size:?} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_packages() {
        let index = "Package: a\nInstalled-Size: 9\nFilename: pool/a.deb\nSize: 12\n\nFilename: pool/b.deb\nSize: 0\n";
        let package = |filename: &str, size| Package { filename: filename.to_owned(), size };
        assert_eq!(read(index.as_bytes()).unwrap(), [package("pool/a.deb", 12), package("pool/b.deb", 0)]);
    }

    #[test]
    fn a_size_that_is_no_number_is_an_error() {
        let error = read(&b"Filename: a\nSize: 1x\n"[..]).unwrap_err();
        assert_eq!(error.to_string(), "size \"1x\" is not a number");
    }
}
