/**
 * The node that this server serves: its data directory, with the computers in it. The epoch tells this server from those
 * that served the node before it, and from one that has claimed it since.
 */
export interface ThisNode {
  readonly id: string
  readonly epoch: number
}
