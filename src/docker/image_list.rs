//! `images.json`: what images declare, for plans that are made without a host. Does not know where the file is.

use crate::name::Image;
use crate::name::MountPathError;
use crate::name::mount_path;
use crate::name::visible;
use crate::spec::ImageFacts;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// What images declare, as `gordon images` writes it and `gordon plan --images` reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageList(pub BTreeMap<Image, ImageFacts>);

/// Why a text is not an [`ImageList`]. Reads on from the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageListError {
    /// It is not JSON, or has other keys or types.
    Form(String),
    /// It is of a version that this gordon does not know.
    Version(u32),
    /// A key of `images` is not a reference to an image.
    Image(String),
    /// Nothing can be mounted at a volume of an image.
    Volume(Image, String, MountPathError),
    /// A port of an image is not a number with a protocol.
    Port(Image, String),
}

impl ImageListError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Volume(..) => "as the image has it: `/var/lib/postgresql/data`",
            Self::Port(..) => "as the image has it: `5432/tcp`",
            Self::Form(_) | Self::Version(_) | Self::Image(_) => "`gordon images` writes such a file",
        }
    }
}

impl fmt::Display for ImageListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(problem) => f.write_str(problem),
            Self::Version(version) => {
                write!(f, "version `{version}` is not known: this gordon reads version `{VERSION}`")
            }
            Self::Image(problem) => f.write_str(problem),
            Self::Volume(image, path, why) => write!(f, "image {image}: volume `{}` {why}", visible(path)),
            Self::Port(image, port) => {
                write!(f, "image {image}: `{}` is not a port with its protocol", visible(port))
            }
        }
    }
}

impl std::error::Error for ImageListError {}

/// Read first, so that a file of another version is not blamed for its keys.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    images: BTreeMap<String, Facts>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    healthcheck: bool,
}

impl ImageList {
    /// The list in `text`.
    ///
    /// # Errors
    /// When `text` is not such a list; the first problem there is.
    pub fn parse(text: &str) -> Result<Self, ImageListError> {
        let form = |e: serde_json::Error| ImageListError::Form(e.to_string());
        let Version { version } = serde_json::from_str(text).map_err(form)?;
        if version != VERSION {
            return Err(ImageListError::Version(version));
        }
        let File { images, .. } = serde_json::from_str(text).map_err(form)?;
        images.into_iter().map(|(image, facts)| entry(image, facts)).collect::<Result<_, _>>().map(Self)
    }

    /// The list as text, the same for the same list, with a line feed at its end.
    pub fn print(&self) -> String {
        let images = self.0.iter().map(|(image, facts)| {
            let ImageFacts { volumes, ports, healthcheck } = facts.clone();
            (image.to_string(), Facts { volumes, ports, healthcheck })
        });
        let file = File { version: VERSION, images: images.collect() };
        serde_json::to_string_pretty(&file).expect("texts, numbers and lists become JSON") + "\n"
    }
}

fn entry(image: String, facts: Facts) -> Result<(Image, ImageFacts), ImageListError> {
    let image = Image::parse(image).map_err(|e| ImageListError::Image(e.to_string()))?;
    let Facts { mut volumes, mut ports, healthcheck } = facts;
    if let Some((path, why)) = volumes.iter().find_map(|path| Some((path, mount_path(path).err()?))) {
        return Err(ImageListError::Volume(image, path.clone(), why));
    }
    if let Some(port) = ports.iter().find(|port| !is_port(port)) {
        return Err(ImageListError::Port(image, port.clone()));
    }
    volumes.sort();
    ports.sort();
    Ok((image, ImageFacts { volumes, ports, healthcheck }))
}

fn is_port(text: &str) -> bool {
    text.split_once('/').is_some_and(|(port, protocol)| {
        port.parse::<u16>().is_ok_and(|port| port > 0) && matches!(protocol, "tcp" | "udp" | "sctp")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        ImageList::parse(text).expect_err("not a list of images").to_string()
    }

    #[test]
    fn a_list_survives_its_file() {
        let text = r#"{
  "version": 1,
  "images": {
    "my-mysql:latest": {
      "volumes": [],
      "ports": [],
      "healthcheck": true
    },
    "postgres:15": {
      "volumes": [
        "/var/lib/postgresql/data"
      ],
      "ports": [
        "5432/tcp"
      ],
      "healthcheck": false
    }
  }
}
"#;
        assert_eq!(ImageList::parse(text).expect("a list of images").print(), text);
    }

    #[test]
    fn what_an_image_does_not_declare_may_be_left_out() {
        let list = ImageList::parse(r#"{"version": 1, "images": {"app": {}}}"#).expect("a list of images");
        assert_eq!(list.0.into_values().collect::<Vec<_>>(), [ImageFacts::default()]);
    }

    #[test]
    fn a_file_of_another_version_is_not_blamed_for_its_keys() {
        let text = r#"{"version": 2, "registries": {}}"#;
        assert_eq!(problem(text), "version `2` is not known: this gordon reads version `1`");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let of = |facts: &str| problem(&format!(r#"{{"version": 1, "images": {{"app": {facts}}}}}"#));
        assert_eq!(of(r#"{"volumes": ["data"]}"#), "image app: volume `data` is not absolute");
        for path in ["/", "/d:/etc:ro", "", "/a/../etc", "/data\\n/etc"] {
            let problem = of(&format!(r#"{{"volumes": ["{path}"]}}"#));
            assert!(problem.starts_with(&format!("image app: volume `{path}` ")), "{problem}");
        }
        assert_eq!(
            of(r#"{"ports": ["80\u001b/tcp"]}"#),
            "image app: `80\\u{1b}/tcp` is not a port with its protocol"
        );
        assert_eq!(of(r#"{"ports": ["http"]}"#), "image app: `http` is not a port with its protocol");
        assert!(of(r#"{"volume": []}"#).starts_with("unknown field `volume`, expected one of `volumes`"));
        assert_eq!(problem(r#"{"version": 1, "images": {"-v": {}}}"#), "`-v` is not an image reference");
        assert_eq!(problem("{}"), "missing field `version` at line 1 column 2");
    }
}
