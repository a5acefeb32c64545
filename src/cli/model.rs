//! `thorax model`: the models of a home; published checkpoints in and out.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use tempfile::TempDir;
use thorax_index::Manifest;
use thorax_models::exchange::{self, Description};
use thorax_models::shipped;
use thorax_models::weights::Storage;

use super::{Context, output};
use crate::error::{Error, Result};
use crate::home::Home;

/// List, show, import, export and choose models.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Model {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  thorax model list
  thorax model show small --tensors
  thorax model import medclip-vit-pretrained --name medclip --tokenizer Bio_ClinicalBERT
  thorax model import --vision swin-tiny-patch4-window7-224 --text Bio_ClinicalBERT --name start
  thorax model export small small.safetensors --dtype f16
  thorax model default medclip";

const IMPORT_EXAMPLES: &str = "\
What is read: safetensors (one file, or an index of shards), and PyTorch's .bin, .pt and .pth with a state dict.
A folder is looked into for model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json.
Encoders: Hugging Face Swin and BERT, torchvision ResNet with bottlenecks, EfficientNet-Lite; the released MedCLIP of both
kinds, and what `thorax model export` writes. Heads of other tasks are left out; any other tensor that is missing, of
another shape or not known is named, and nothing is written.

Examples:
  thorax model import medclip-vit-pretrained --name medclip --tokenizer Bio_ClinicalBERT
  thorax model import exported.safetensors --name again
  thorax model import --vision resnet50.pth --text Bio_ClinicalBERT --name start
  thorax train --preset medclip --from start     # two encoders put together have to be trained";

#[derive(Subcommand)]
enum Command {
    /// Make a model of a published checkpoint.
    Import(Import),
    /// The models of this home.
    List,
    /// What a model is: card, configuration, tensors.
    Show(Show),
    /// Write a model as one safetensors file with the names of the released MedCLIP.
    Export(Export),
    /// Choose the model that commands use when none is named.
    Default(Named),
}

#[derive(Args)]
#[command(after_help = IMPORT_EXAMPLES)]
struct Import {
    /// A whole MedCLIP: file or folder.
    #[arg(value_name = "PATH", required_unless_present_all = ["vision", "text"])]
    path: Option<PathBuf>,
    /// Name of the model in this home.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Image encoder: file or folder. With PATH, in place of its own.
    #[arg(long, value_name = "PATH")]
    vision: Option<PathBuf>,
    /// Text encoder: file or folder. With PATH, in place of its own.
    #[arg(long, value_name = "PATH")]
    text: Option<PathBuf>,
    /// tokenizer.json, vocab.txt, or a folder with one of them [default: beside the text encoder].
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<PathBuf>,
    /// Whether text is lower-cased for a vocab.txt [default: as tokenizer_config.json says, else true].
    #[arg(long, value_name = "BOOL")]
    lowercase: Option<bool>,
    /// Seed of the projections, where two encoders are put together.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Args)]
struct Show {
    /// The model.
    #[arg(value_name = "NAME")]
    name: String,
    /// Every tensor with type and shape.
    #[arg(long)]
    tensors: bool,
}

#[derive(Args)]
struct Export {
    /// The model.
    #[arg(value_name = "NAME")]
    name: String,
    /// The file to write.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Type of the numbers: f32 (exact) or f16 (half the size).
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    dtype: Storage,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
struct Named {
    /// The model.
    #[arg(value_name = "NAME")]
    name: String,
}

impl Model {
    /// Runs the command.
    ///
    /// # Errors
    /// There is no such model, or a checkpoint cannot be read or does not fit.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        match self.command {
            Command::Import(command) => command.run(context, &home),
            Command::List => list(context, &home),
            Command::Show(command) => command.run(context, &home),
            Command::Export(command) => command.run(context, &home),
            Command::Default(command) => {
                existing(&home, &command.name)?;
                home.set_default_model(&command.name)?;
                if context.json {
                    return output::json(&serde_json::json!({ "default": command.name }));
                }
                output::line(&format!("default model: {}; run `thorax index` if the index is of another", command.name))
            }
        }
    }
}

impl Import {
    fn run(self, context: &Context, home: &Home) -> Result<()> {
        let dir = home.model_dir(&self.name)?;
        if dir.exists() {
            return Err(Error::Caller(format!("there is a model '{}' already: choose another --name", self.name)));
        }
        for path in [&self.path, &self.vision, &self.text, &self.tokenizer].into_iter().flatten() {
            if !path.exists() {
                return Err(Error::Caller(format!("there is no file or folder {}", path.display())));
            }
        }
        let name = self.name;
        let what = exchange::Import {
            whole: self.path,
            vision: self.vision,
            text: self.text,
            tokenizer: self.tokenizer,
            lowercase: self.lowercase,
            name: name.clone(),
            seed: self.seed,
        };
        let imported = exchange::import(&what, &dir)?;
        // A model that still has to be trained is nobody's default.
        if imported.fresh.is_empty() && home.model_name(None).is_err() {
            home.set_default_model(&name)?;
        }
        if context.json {
            return output::json(&imported);
        }
        output::line(&format!(
            "model {name}: {}, dimension {}, {} parameters, fingerprint {}",
            imported.architecture,
            imported.dimension,
            imported.parameters,
            short(&imported.fingerprint)
        ))?;
        if !imported.ignored.is_empty() {
            let count = imported.ignored.len();
            let first: Vec<&str> = imported.ignored.iter().take(5).map(String::as_str).collect();
            let more = if count > first.len() { ", ..." } else { "" };
            output::line(&format!("left out, of no use to MedCLIP: {count} tensors ({}{more})", first.join(", ")))?;
        }
        if imported.fresh.is_empty() {
            return output::line(&format!("now run `thorax index --model {name}`"));
        }
        output::line(&format!("not in the checkpoints, so random: {}", imported.fresh.join(", ")))?;
        output::line("it has to be trained before its embeddings mean anything")
    }
}

/// A model of the home.
#[derive(Serialize)]
struct Entry {
    name: String,
    default: bool,
    /// Whether the index was made with it.
    indexed: bool,
    #[serde(flatten)]
    state: State,
}

#[derive(Serialize)]
#[serde(untagged)]
enum State {
    Ready {
        architecture: String,
        dimension: usize,
        parameters: usize,
        bytes: u64,
        dtypes: Vec<String>,
        fingerprint: String,
    },
    Unreadable {
        error: String,
    },
}

fn list(context: &Context, home: &Home) -> Result<()> {
    let default = home.model_name(None).ok();
    let index = Manifest::current(home.path())?.map(|m| m.fingerprint);
    let mut entries = Vec::new();
    for name in home.model_names() {
        let state = match exchange::describe(existing(home, &name)?.path()) {
            Ok(d) => State::Ready {
                architecture: d.architecture,
                dimension: d.dimension,
                parameters: d.parameters,
                bytes: d.bytes,
                dtypes: d.dtypes,
                fingerprint: d.fingerprint,
            },
            Err(error) => State::Unreadable { error: error.to_string() },
        };
        let indexed = matches!(&state, State::Ready { fingerprint, .. } if Some(fingerprint) == index.as_ref());
        entries.push(Entry { default: default.as_deref() == Some(name.as_str()), name, indexed, state });
    }
    if context.json {
        return output::json(&entries);
    }
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0).max(4);
    output::line(&format!(
        "{:width$}  {:22}  {:>4}  {:>10}  {:>8}  {:12}",
        "name", "architecture", "dim", "parameters", "size", "fingerprint"
    ))?;
    for entry in entries {
        let marks = [(entry.default, "default"), (entry.indexed, "in the index")];
        let marks: Vec<&str> = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
        match entry.state {
            State::Ready { architecture, dimension, parameters, bytes, fingerprint, .. } => output::line(
                format!(
                    "{:width$}  {architecture:22}  {dimension:>4}  {parameters:>10}  {:>5.1} MB  {:12}  {}",
                    entry.name,
                    bytes as f64 / 1e6,
                    short(&fingerprint),
                    marks.join(", ")
                )
                .trim_end(),
            )?,
            State::Unreadable { error } => output::line(&format!("{:width$}  cannot be read: {error}", entry.name))?,
        }
    }
    Ok(())
}

impl Show {
    fn run(self, context: &Context, home: &Home) -> Result<()> {
        let d: Description = exchange::describe(existing(home, &self.name)?.path())?;
        if context.json {
            return output::json(&d);
        }
        output::line(&format!("model         {}", self.name))?;
        output::line(&format!("architecture  {}", d.architecture))?;
        output::line(&format!("dimension     {}", d.dimension))?;
        output::line(&format!("parameters    {} in {} tensors", d.parameters, d.tensors.len()))?;
        output::line(&format!("size          {:.1} MB, stored as {}", d.bytes as f64 / 1e6, d.dtypes.join(", ")))?;
        output::line(&format!("fingerprint   {}", d.fingerprint))?;
        match &d.card {
            None => output::line("card          none")?,
            Some(card) => {
                if card.fingerprint != d.fingerprint {
                    output::line("              its card was written for other files: they were changed since")?;
                }
                output::line(&format!("card          {}", serde_json::to_string_pretty(card)?.replace('\n', "\n  ")))?;
            }
        }
        output::line("")?;
        output::line(d.config.to_toml()?.trim_end())?;
        if self.tensors {
            output::line("")?;
            for tensor in &d.tensors {
                output::line(&format!("{:5} {:?}  {}", tensor.dtype, tensor.shape, tensor.name))?;
            }
        }
        Ok(())
    }
}

impl Export {
    fn run(self, context: &Context, home: &Home) -> Result<()> {
        let dir = existing(home, &self.name)?;
        if self.file.exists() && !self.force {
            return Err(Error::Caller(format!("{} exists: give --force to write over it", self.file.display())));
        }
        exchange::export(dir.path(), &self.file, self.dtype)?;
        let bytes = fs_err::metadata(&self.file)?.len();
        if context.json {
            return output::json(&serde_json::json!({ "file": self.file, "bytes": bytes }));
        }
        output::line(&format!("{}: {:.1} MB", self.file.display(), bytes as f64 / 1e6))
    }
}

/// The files of a model.
pub(super) enum Files {
    /// In the home.
    Own(PathBuf),
    /// Of the one in the program, for as long as they are looked at.
    Unpacked(TempDir),
}

impl Files {
    pub(super) fn path(&self) -> &Path {
        match self {
            Files::Own(path) => path,
            Files::Unpacked(dir) => dir.path(),
        }
    }
}

/// The files of a model that is there.
pub(super) fn existing(home: &Home, name: &str) -> Result<Files> {
    let dir = home.model_dir(name)?;
    if home.is_built_in(name) {
        let dir = tempfile::tempdir()?;
        shipped::unpack(dir.path())?;
        return Ok(Files::Unpacked(dir));
    }
    if dir.join("model.safetensors").is_file() {
        return Ok(Files::Own(dir));
    }
    let known = home.model_names().join(", ");
    Err(Error::Caller(format!("there is no model '{name}' in this home; there are {known}")))
}

fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}
