import type { ErrorCode } from '../common/errors.js'

/** What each code means and what to do, printed offline by `weft explain`. */
export const explanations: Readonly<Partial<Record<ErrorCode, string>>> = {
  'W-1000':
    'The file is not YAML at the place given. Most often an indent, an unclosed bracket or a name given twice.',
  'W-1001': 'A field that has no default is missing. The message names it; the position is where it belongs.',
  'W-1002': 'The schema has no such key here. Nothing is ignored, so that a misspelt key cannot go unseen.',
  'W-1003': 'The field takes one of a few words, and this is none of them.',
  'W-1004': 'The number or text is outside what the field allows, as a VNI over 16777215.',
  'W-1005': 'The value has the wrong type, as text where a number is needed.',
  'W-1006': 'The text does not have the form the field needs: an address, a MAC, a duration, a name.',
  'W-1007': 'The file cannot be read. Check the path and its permissions; `-` reads standard input.',
  'W-1008': 'The file is larger than the controller takes. Split it into several topologies.',
  'W-1009': 'One map has the same key twice. YAML would keep only one of them.',
  'W-1010':
    'The file unfolds into too much: aliases, nesting or sheer number. Write it plainer, or split it.',
  'W-1100': 'A name is used that nothing in the file declares: a node, a network or an endpoint.',
  'W-1101': 'The node has ports, but no underlay to carry their tunnels. Give it `underlay: {dev, address}`.',
  'W-1102': 'Two things claim one address. VTEP and endpoint addresses must be unique.',
  'W-1103': 'An interface of a node is a port of at most one network.',
  'W-1104':
    'Two networks use one VNI. In one file that is a wrong file, exit code 2; with a topology in force, a conflict. See `weft get networks`.',
  'W-1105': 'A MAC is declared twice in one network. In two networks it may be the same.',
  'W-1106': 'The MTU leaves no room for the tunnel: 50 bytes over an IPv4 underlay, 70 over IPv6.',
  'W-1107': 'A name becomes a device name, and those have at most 15 characters.',
  'W-1108': 'The schema knows this, but the version at hand does not do it yet. Leave it out.',
  'W-1109':
    'Two topologies declare one node differently. A node may be in several, but with the same underlay.',
  'W-1110': 'The subnet has fewer addresses than the set needs. Widen it, or start lower.',
  'W-1111': 'More of a kind than the dataplane holds, as VTEPs in one flood list.',
  'W-1112': 'Two things that share one space of names are called the same, as two endpoints.',
  'W-1113':
    'The underlay addresses of the nodes are not in one reachable set: they differ in family or subnet.',
  'W-2001': 'The node daemon needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root.',
  'W-2002':
    'The kernel lacks something the dataplane needs. Weft supports kernels from 5.15 with BTF, TC and VXLAN.',
  'W-2003': 'No BPF file system is mounted where maps and links are pinned: `mount -t bpf bpf /sys/fs/bpf`.',
  'W-2004': 'Another node daemon already programs this host. There is one for each network namespace.',
  'W-2005': 'A built BPF object is missing. Run `scripts/setup`, or install the package again.',
  'W-2006': "The kernel's verifier refused a BPF program. The node's log has the verifier's last lines.",
  'W-2007': 'A program that is called is not installed. Run `scripts/setup`, or install the package named.',
  'W-2101': 'A system call failed. The message has its name, the object and the errno. It is tried again.',
  'W-2102':
    'Maps or programs in the kernel were made by a build with other layouts. Restart the node daemon.',
  'W-2103':
    'The VXLAN UDP port is taken by another device or socket. The message says which; remove it or choose another port.',
  'W-2104': 'The interface of a declared port does not exist on the node. It is attached when it appears.',
  'W-2105': 'The underlay device does not exist on the node. Check `dev` in the topology.',
  'W-2106': 'A BPF map is full. New entries are missing from the dataplane until others go.',
  'W-2108': "The node's VTEP address is on no device of the host. Traffic to it cannot arrive.",
  'W-2109': 'The kernel refused a netlink request. The message has the object, the errno and its reason.',
  'W-2110': 'The underlay MTU is too small for the MTU asked for. Raise one or lower the other.',
  'W-2114':
    'The kernel lets one socket, and so one host, join 20 IPv4 groups unless told otherwise. Beyond some 2,000 groups the memory of that socket is the limit, of IPv6 too. Networks in multicast mode whose group is not joined get no broadcast. Run the command that the message says, and keep the value in /etc/sysctl.d.',
  'W-2113': 'The device cannot be a port: it carries the tunnels, or no Ethernet. Name another interface.',
  'W-2112':
    'A device has the name that Weft needs, and is not of its making. Weft leaves it alone: rename or remove it.',
  'W-2120': 'The node has had no state from a controller yet, so its kernel holds no tables to answer from.',
  'W-2121': 'All taps of the node are taken by other captures and traces. They end by themselves; wait.',
  'W-2122':
    'Frames as large as the networks allow do not come through between two VTEPs: something on the way has a smaller MTU and drops them. Raise it there, or set a smaller `mtu` on the networks.',
  'W-3001':
    'Listening beyond this host without encryption is refused. Use a unix socket or loopback, or `--insecure`.',
  'W-3002':
    'The controller cannot reach etcd. Forwarding goes on; changes wait. Check `--etcd` and etcd itself.',
  'W-3003': 'Somebody else changed the same thing at the same time. Read it again and repeat.',
  'W-3004': 'No topology in force declares the node. Declare it, or correct --node-name.',
  'W-3005': 'Node and controller speak different versions of their protocol. Bring both to one release.',
  'W-3006': 'A live node already holds this name. Two daemons must not share one.',
  'W-3007': 'There is no object of this name. `weft get` lists what there is.',
  'W-3008': 'Not all nodes reported in time. The change is stored, and late nodes get it when they return.',
  'W-3009': 'No controller answers at the address. Start one, or name it by --server or WEFT_SERVER.',
  'W-3010':
    'The other side does not speak the protocol as expected. Check that it is Weft, of a fitting version.',
  'W-3011': 'A value in etcd cannot be read. It is left aside and counted; apply the topology again.',
  'W-3012': 'The request is malformed. The problem lists each wrong parameter.',
  'W-3013': 'If-Match named another revision than the one in force. Read it again and repeat.',
  'W-3014': 'The address to listen on is in use. Stop its owner, or choose another.',
  'W-3015':
    'The node is declared, but its daemon has no connection to the controller. It forwards with what it has.',
  'W-3016':
    'The MAC moves to and fro, as behind a loop or at two stations. It stays where it is until that ends.',
  'W-3017':
    'The node did not read what it was sent for too long. It is cut off, and starts over when it returns.',
  'W-3020': 'The node is connected and did not answer in time. Look at its load and its log.',
  'W-3021': 'As many questions to the node are open as are allowed at a time. They end by themselves; wait.',
  'W-4001': 'The command line is not as the command needs it. `--help` shows what it takes.',
  'W-4002': 'A setting is wrong or unknown. The message has its place; `--check-config` tries again.',
  'W-4003': 'A lab of this name is already there. Destroy it first: `weft lab destroy`.',
  'W-4004': 'There is no lab of this name on this host. `weft lab inspect` lists them.',
  'W-4005':
    'A step of building or removing the lab failed. The message says which; `weft lab destroy` cleans up.',
  'W-5000': 'A defect of Weft. The log has the details; please report it.',
}
