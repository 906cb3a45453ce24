use std::collections::BTreeMap;

/// The variables of a function's environment.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

/// A variable that is missing or can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError(String);

impl std::fmt::Display for SettingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingError {}

impl Environment {
    /// That of this process. What is not text is not there.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// A variable that may be unset, or empty, which is the same: a template can't leave one out.
    pub fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingError> {
        let Some(text) = self.0.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        parse(text).map(Some).map_err(|error| SettingError(format!("environment variable {name}: {error}")))
    }

    /// A variable that has to be set.
    pub fn required<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingError> {
        let value = self.optional(name, parse)?;
        value.ok_or_else(|| SettingError(format!("environment variable {name} is not set")))
    }
}

/// The settings of a function that has none of its own.
pub fn no_settings(_: &Environment) -> Result<(), SettingError> {
    Ok(())
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_variable() {
        let variables = [("NUMBER", "seven"), ("EMPTY", "")];
        let environment: Environment =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let number = |name| {
            let parsed = environment.required(name, |text| text.parse::<u32>().map_err(|e| e.to_string()));
            parsed.unwrap_err().to_string()
        };
        assert_eq!(number("NUMBER"), "environment variable NUMBER: invalid digit found in string");
        assert_eq!(number("EMPTY"), "environment variable EMPTY is not set");
        assert_eq!(number("OTHER"), "environment variable OTHER is not set");
        assert_eq!(environment.optional("EMPTY", |_| Err::<(), _>(String::new())), Ok(None));
    }
}
