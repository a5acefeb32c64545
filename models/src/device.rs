//! Where tensors live.

use candle_core::Device;

use crate::error::ModelError;

/// The user's choice of device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// A GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first GPU; an error where there is none.
    Cuda,
}

impl std::str::FromStr for Choice {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(ModelError::Device(format!("'{text}' is none of auto, cpu, cuda"))),
        }
    }
}

/// Opens the device. Needs the cargo feature `cuda` for a GPU.
pub fn device(choice: Choice) -> Result<Device, ModelError> {
    match choice {
        Choice::Cpu => Ok(Device::Cpu),
        Choice::Cuda => cuda(),
        Choice::Auto => Ok(cuda().unwrap_or(Device::Cpu)),
    }
}

fn cuda() -> Result<Device, ModelError> {
    if !candle_core::utils::cuda_is_available() {
        let reason = "this build has no CUDA; build with --features cuda, or choose cpu";
        return Err(ModelError::Device(reason.to_owned()));
    }
    // The driver's bindings panic where the driver is missing.
    match std::panic::catch_unwind(|| Device::new_cuda(0)) {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => Err(ModelError::Device(format!("CUDA does not start: {error}"))),
        Err(_) => Err(ModelError::Device("CUDA's driver library is missing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn choices() {
        assert!(device(Choice::Cpu).unwrap().is_cpu());
        assert!(device("auto".parse().unwrap()).is_ok());
        assert!("gpu".parse::<Choice>().unwrap_err().to_string().contains("gpu"));
        if !candle_core::utils::cuda_is_available() {
            assert!(device(Choice::Cuda).unwrap_err().to_string().contains("--features cuda"));
        }
    }
}
