//! How final names are formed: of networks, containers, volumes and aliases. Does not know whether they are free.

use crate::name::Alias;
use crate::name::Project;
use crate::name::ShortName;
use crate::spec::hash;

/// The longest label that DNS allows.
pub(super) const LABEL: usize = 63;

/// The text with dashes in place of its dots.
pub(super) fn dashed(text: &str) -> String {
    text.replace('.', "-")
}

/// The longest name of a volume: docker keeps it in a folder of that name.
pub(super) const VOLUME: usize = 255;

/// A DNS label made of `text`: one that is too long is cut and ends in a hash, so that it stays one of a kind.
pub(super) fn label(text: &str) -> String {
    cut(text, LABEL)
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let hash = hash(text);
    let kept = text[..most - hash.len() - 1].trim_end_matches('-');
    format!("{kept}-{hash}")
}

/// The alias that is one of a kind on a host, or in a network.
pub(super) fn qualified(owner: &str, name: Option<&str>) -> Alias {
    let text = match name {
        Some(name) => format!("{}-{}", dashed(owner), dashed(name)),
        None => dashed(owner),
    };
    Alias::parse(label(&text)).expect("names that are joined by dashes and cut make a label")
}

/// The name of the volume that keeps a path of an image: `gordon-blog-company-com-my-mysql-var-lib-mysql`.
pub(super) fn automatic_volume(prefix: &Project, container: &str, path: &str) -> String {
    let path: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let name = format!("{}-{}", dashed(container), path.trim_matches('-'));
    let name = if name.starts_with(&format!("{prefix}-")) { name } else { format!("{prefix}-{name}") };
    cut(&name, VOLUME)
}

/// `postgres` for `my-postgres`: what the seed's examples call a service whose image was made for the purpose.
pub(super) fn without_my(name: &str) -> Option<&str> {
    name.strip_prefix("my-").filter(|rest| ShortName::parse(*rest).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_too_long_is_cut_and_stays_one_of_a_kind() {
        let (one, other) = ("a".repeat(63), "a".repeat(64));
        assert_eq!(label(&one), one);
        assert_eq!(label(&other).len(), LABEL);
        assert_ne!(label(&other), label(&"a".repeat(65)));
    }

    #[test]
    fn an_automatic_volume_is_named_after_its_container_and_path() {
        let prefix = |text: &str| Project::parse(text).expect("a prefix");
        let container = "gordon-blog.company.com-my-mysql";
        for (text, name) in [
            ("gordon", "gordon-blog-company-com-my-mysql-var-lib-mysql"),
            ("data", "data-gordon-blog-company-com-my-mysql-var-lib-mysql"),
        ] {
            assert_eq!(automatic_volume(&prefix(text), container, "/var/lib/mysql/"), name);
        }
        let long =
            |end: &str| automatic_volume(&prefix("gordon"), container, &format!("/{}{end}", "a".repeat(300)));
        assert_eq!(long("").len(), VOLUME);
        assert_ne!(long("b"), long("c"));
    }
}
