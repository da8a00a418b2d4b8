// The solver that the constant SOLVER names: 0 exact, 1 cg, 2 gmres, 3 bicgstab; parameters.iterations of the last three.
// Needs shared/solvers.wgsl.

fn solve_chosen(m: ptr<function, SmallMatrix>, b: ptr<function, SmallVector>) -> SmallVector {
  if (SOLVER == 0u) {
    return solve_exact(m, b);
  }
  if (SOLVER == 1u) {
    return solve_cg(m, b, parameters.iterations);
  }
  if (SOLVER == 2u) {
    return solve_gmres(m, b, parameters.iterations);
  }
  return solve_bicgstab(m, b, parameters.iterations);
}
