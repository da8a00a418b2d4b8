/** A bare model's contract, completed by the visitor's answers. */
import type { ContractQuestion, DenoiserContract, PartialContract } from '../../onnx/contract'
import { completeContract } from '../../onnx/inferContract'

/** One answer a question, by its field: the place of an option, or what was typed. */
export type Answers = Readonly<Record<string, string>>

/** What is right most often. */
export function suggestedAnswers({ questions }: PartialContract): Answers {
  return Object.fromEntries(questions.map((question) => [question.field, suggestedAnswer(question)]))
}

function suggestedAnswer({ options, suggestion }: ContractQuestion): string {
  if (options.length === 0) return typeof suggestion === 'number' ? String(suggestion) : ''
  const wanted = JSON.stringify(suggestion)
  const place = options.findIndex(({ value }) => JSON.stringify(value) === wanted)
  return place < 0 ? '' : String(place)
}

/** What an answer stands for; undefined where there is none yet. */
export function answerValue({ options }: ContractQuestion, answer: string | undefined): unknown {
  if (answer === undefined || answer.trim() === '') return undefined
  if (options.length > 0) return options[Number(answer)]?.value
  const number = Number(answer.replace(',', '.'))
  return Number.isFinite(number) ? number : undefined
}

/** Errors: ContractError with what is still wrong. */
export function completedContract(partial: PartialContract, answers: Answers): DenoiserContract {
  const values = partial.questions.map(
    (question) => [question.field, answerValue(question, answers[question.field])] as const,
  )
  return completeContract(partial, Object.fromEntries(values.filter(([, value]) => value !== undefined)))
}
