// What a training run keeps on the GPU between steps.

struct TrainState {
  step: u32, // steps finished
  loss_sum: f32, // sum of the losses since the host cleared it
}
