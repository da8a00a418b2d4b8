/** Asks what a bare ONNX file does not say about itself. */
import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useStore } from 'zustand'
import type { ContractQuestion, PartialContract } from '../../onnx/contract'
import { answerValue, completedContract, suggestedAnswers } from './contractAnswers'
import type { ImagesStore } from './stores'

export function ContractDialog({ lab }: { lab: ImagesStore }) {
  const model = useStore(lab, (state) => state.model)
  const partial = model.status === 'asking' ? model.partial : null
  const { cancelModel } = lab.getState()
  return (
    <Modal
      opened={partial !== null}
      onClose={cancelModel}
      title={`What is ${model.name || 'this model'}?`}
      size="lg"
      centered
    >
      {partial && <Questions key={model.name} lab={lab} partial={partial} />}
    </Modal>
  )
}

function Questions({ lab, partial }: { lab: ImagesStore; partial: PartialContract }) {
  const [answers, setAnswers] = useState(() => suggestedAnswers(partial))
  const [error, setError] = useState<string | null>(null)
  const open = partial.questions.filter(
    (question) => answerValue(question, answers[question.field]) === undefined,
  )
  const use = () => {
    try {
      void lab.getState().completeContract(completedContract(partial, answers))
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem))
    }
  }
  return (
    <Stack gap="sm">
      <Text size="sm">
        The file came without a <code>denoiser.json</code>. What could be read from it is filled in; the rest
        only its author knows. What is suggested is right most often, and the check that follows will tell.
      </Text>
      {partial.questions.map((question) => (
        <Question
          key={question.field}
          question={question}
          answer={answers[question.field] ?? ''}
          onAnswer={(answer) => {
            setError(null)
            setAnswers({ ...answers, [question.field]: answer })
          }}
        />
      ))}
      {error !== null && (
        <Alert color="red" variant="light" role="alert" title="This does not make a contract">
          <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
            {error}
          </Text>
        </Alert>
      )}
      <Group justify="space-between" wrap="nowrap">
        <Text size="xs" c="dimmed">
          {open.length > 0 && `${open.length} ${open.length === 1 ? 'answer is' : 'answers are'} missing.`}
        </Text>
        <Group gap="xs" wrap="nowrap">
          <Button variant="default" onClick={lab.getState().cancelModel}>
            Cancel
          </Button>
          <Button onClick={use} disabled={open.length > 0} data-testid="use-contract">
            Check the model
          </Button>
        </Group>
      </Group>
    </Stack>
  )
}

interface QuestionProps {
  readonly question: ContractQuestion
  readonly answer: string
  readonly onAnswer: (answer: string) => void
}

function Question({ question, answer, onAnswer }: QuestionProps) {
  const { field, question: text, options } = question
  if (options.length === 0) {
    return (
      <TextInput
        size="sm"
        label={text}
        description={field}
        inputMode="decimal"
        value={answer}
        onChange={(event) => onAnswer(event.currentTarget.value)}
        data-testid={`ask-${field}`}
      />
    )
  }
  return (
    <Select
      size="sm"
      label={text}
      description={field}
      placeholder="Choose"
      allowDeselect={false}
      data={options.map(({ label }, k) => ({ value: String(k), label }))}
      value={answer || null}
      onChange={(next) => next !== null && onAnswer(next)}
      data-testid={`ask-${field}`}
    />
  )
}
