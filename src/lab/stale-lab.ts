import { destroyLab, findLabs, type Removed } from './destroy.js'
import { isRunning } from './process.js'
import { alreadyThere, readRecord } from './record.js'

/**
 * Takes away what a killed process left of a lab that lives only as long as its
 * deployer does. `undefined` when there was nothing.
 *
 * @throws WeftError W-4003 for a lab of the name whose deployer lives, or that was built from another file.
 */
export async function removeStaleLab(lab: string, file: string): Promise<Removed | undefined> {
  if (!(await findLabs()).includes(lab)) return undefined
  const record = await readRecord(lab)
  if (record?.file !== file || isRunning(record.deployed_by)) throw await alreadyThere(lab)
  return destroyLab(lab)
}
