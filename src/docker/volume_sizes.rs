//! The sizes of volumes, as `docker system df` tells them. Docker adds up every file of every volume for it, which can take
//! long: this is no part of a reading.

use super::Command;
use std::collections::BTreeMap;

/// The size of a volume in docker's words, as in `48.2MB`, by the volume's name.
pub type VolumeSizes = BTreeMap<String, String>;

/// The question of which [`parse`] reads the answer.
pub fn question() -> Command {
    let format = "{{range .Volumes}}[{{json .Name}},{{json .Size}}]{{println}}{{end}}";
    Command::new(["system", "df", "--verbose", "--format", format])
}

/// The sizes in `answer`; none where docker does not know them, or answers otherwise.
pub fn parse(answer: &str) -> VolumeSizes {
    let pairs = serde_json::Deserializer::from_str(answer).into_iter::<(String, String)>();
    pairs.map_while(Result::ok).filter(|(_, size)| size != "N/A").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_docker_knows_is_read() {
        let answer = "[\"a\",\"0B\"]\n[\"b\",\"48.2MB\"]\n[\"c\",\"N/A\"]\n\n";
        let expected = [("a", "0B"), ("b", "48.2MB")].map(|(name, size)| (name.to_owned(), size.to_owned()));
        assert_eq!(parse(answer), expected.into());
        assert_eq!(parse("template: :1: no such field"), VolumeSizes::new());
        assert_eq!(parse(""), VolumeSizes::new());
    }
}
