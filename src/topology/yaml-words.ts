import type { YAMLError } from 'yaml'

const words: Partial<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'this alias or anchor has no usable name',
  BAD_DIRECTIVE: 'this %-line is not understood; a topology needs none',
  BAD_DQ_ESCAPE: 'this \\-escape does not exist; in double quotes write \\\\ for a backslash',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag comes after its "-", "?" or ":"',
  BAD_SCALAR_START: 'a text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on this line; put the text in quotes, or the mapping on its own line',
  BLOCK_IN_FLOW: 'an indented mapping or list cannot stand inside { } or [ ]',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MULTILINE_IMPLICIT_KEY: 'this is no "key: value"; is the ":" missing, or the space after it?',
  MULTIPLE_ANCHORS: 'a value can have one anchor only',
  MULTIPLE_DOCS: 'a second document begins here; a file holds one topology',
  MULTIPLE_TAGS: 'a value can have one tag only',
  RESOURCE_EXHAUSTION: 'the file is nested too deep',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!…) are not understood here; leave it out',
  BAD_COLLECTION_TYPE: 'tags (!…) are not understood here; leave it out',
}

const missing: readonly (readonly [RegExp, string])[] = [
  [/closing 'quote/, "the closing ' is missing"],
  [/closing "quote/, 'the closing " is missing'],
  [/end with a \}|Flow map/, 'the closing } is missing, or a line in it is not indented'],
  [/end with a \]|Flow sequence/, 'the closing ] is missing, or a line in it is not indented'],
  [/Missing , or :/, 'a "," or ":" is missing before this'],
  [/Missing ,/, 'a "," is missing before this'],
  [/Missing space after :/, 'a space is missing after ":"'],
  [/Implicit map keys|Implicit keys/, 'a ":" is missing after the key, or a space after the ":"'],
  [/directives-end/, 'the line "---" is missing after the %-lines'],
  [/without - indicator/, 'a "-" is missing before this list item'],
  [/Comments must be separated/, 'a space is missing before "#"'],
]

const unexpected: readonly (readonly [RegExp, string])[] = [
  [/Unexpected (,|empty item)/, 'a "," too many'],
  [/Block scalar header/, 'only a comment may follow "|" or ">" on its line'],
  [/flow-map-end|\}/, 'a "}" without its "{"'],
  [/flow-seq-end|\]/, 'a "]" without its "["'],
]

/** An error of the YAML reader in our words; its own speak of nodes, flows and scalars. */
export function yamlMessage(error: Pick<YAMLError, 'code' | 'message'>): string {
  const fixed = words[error.code]
  if (error.code === 'BAD_INDENT' || error.code === 'MISSING_CHAR') {
    return find(missing, error.message) ?? fixed ?? 'a character is missing here'
  }
  if (error.code === 'UNEXPECTED_TOKEN') return find(unexpected, error.message) ?? 'this does not belong here'
  return fixed ?? 'this is not valid YAML'
}

function find(table: readonly (readonly [RegExp, string])[], message: string): string | undefined {
  return table.find(([pattern]) => pattern.test(message))?.[1]
}
