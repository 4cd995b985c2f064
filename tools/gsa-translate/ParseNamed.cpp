//===- ParseNamed.cpp - modules whose values keep their names -------------===//

#include "tools/gsa-translate/ParseNamed.h"

#include "dialect/GsaTile/ValueNames.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/ADT/StringExtras.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

/// Names `value` as the text does at `range`, "%count" or "%results:2".
static void nameAs(Value value, llvm::SMRange range) {
  if (!range.isValid()) return;
  const char* begin = range.Start.getPointer();
  StringRef text(begin, range.End.getPointer() - begin);
  text.consume_front("%");
  text = text.take_until([](char c) { return c == ':'; });
  // A number behind a name is how a printer told it from another one.
  StringRef stem = text.rtrim("0123456789");
  if (stem.size() < text.size() && stem.consume_back("_")) text = stem;
  if (text.empty() || llvm::isDigit(text.front())) return;
  gsa_tile::named(value, text);
}

static void nameValues(const AsmParserState& state) {
  for (const AsmParserState::OperationDefinition& definition :
       state.getOpDefs())
    for (const auto& group : definition.resultGroups)
      if (definition.op->getNumResults() == 1)
        nameAs(definition.op->getResult(group.startIndex),
               group.definition.loc);
  for (const AsmParserState::BlockDefinition& definition : state.getBlockDefs())
    for (auto [argument, place] :
         llvm::zip(definition.block->getArguments(), definition.arguments))
      nameAs(argument, place.loc);
}

OwningOpRef<ModuleOp> parseNamed(const std::shared_ptr<llvm::SourceMgr>& source,
                                 MLIRContext* context) {
  ParserConfig config(context);
  const llvm::MemoryBuffer& buffer =
      *source->getMemoryBuffer(source->getMainFileID());
  if (isBytecode(buffer.getMemBufferRef()))
    return parseSourceFile<ModuleOp>(source, config);
  if (auto error = mlir::gsa::checkModuleText(buffer.getBuffer())) {
    emitError(FileLineColLoc::get(context, buffer.getBufferIdentifier(),
                                  error->line, error->column))
        << error->message;
    return {};
  }
  Block block;
  AsmParserState state;
  if (failed(parseAsmSourceFile(*source, &block, config, &state))) return {};
  nameValues(state);
  // A file may hold a module, or what one holds.
  if (llvm::hasSingleElement(block))
    if (auto module = dyn_cast<ModuleOp>(block.front())) {
      module->remove();
      return module;
    }
  OwningOpRef<ModuleOp> module = ModuleOp::create(
      FileLineColLoc::get(context, buffer.getBufferIdentifier(), 0, 0));
  module->getBody()->getOperations().splice(module->getBody()->begin(),
                                            block.getOperations());
  return module;
}
