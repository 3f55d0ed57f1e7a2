/** The two ways to flood, as edits of mesh.yaml. */
export const modes = [
  { mode: 'multicast', edit: (text: string) => text },
  {
    mode: 'unicast',
    edit: (text: string) => text.replaceAll('mode: multicast, group: 239.1.1.1', 'mode: unicast'),
  },
] as const
