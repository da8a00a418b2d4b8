// How fast this adapter moves memory: each invocation copies PER_THREAD vec4s, a workgroup's neighbours next to each other.

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn copy(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first = (group.y * groups.x + group.x) * WORKGROUP * PER_THREAD + index;
  for (var i = 0u; i < PER_THREAD; i++) {
    let place = first + i * WORKGROUP;
    if (place < arrayLength(&copied)) {
      copied[place] = source[place];
    }
  }
}
