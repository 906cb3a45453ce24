//! The little that S3's answers need.

/// The contents of all elements of a name, in their order; names are not nested in themselves here.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let after_open = xml.split(open.as_str()).skip(1);
    after_open.filter_map(|rest| rest.split_once(close.as_str())).map(|(content, _)| content).collect()
}

/// The content of the first element of a name; empty where there is none.
pub(crate) fn element(xml: &str, name: &str) -> String {
    elements(xml, name).first().map(|content| unescaped(content)).unwrap_or_default()
}

/// Text without entities.
pub(crate) fn unescaped(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#34;", "\""), ("&#39;", "'")];
    let text = named.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

/// Text that may stand in an element.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let xml = "<L><K>a&amp;b</K><P><K>c</K></P></L>";
        assert_eq!(elements(xml, "K"), ["a&amp;b", "c"]);
        assert_eq!(element(xml, "K"), "a&b");
        assert_eq!(element(xml, "None"), "");
        assert_eq!(unescaped(&escaped("<&amp;>")), "<&amp;>");
    }
}
